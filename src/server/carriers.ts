/**
 * The carriers of one session: connections that its visitors share, where the client can.
 *
 * @module
 */

import { Carrier } from "../carrier/carrier.ts";
import type { CarrierCounters } from "../carrier/counters.ts";
import type { Stream } from "../carrier/stream.ts";
import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { encodeContinue, type ForwardCommand } from "../protocol/messages.ts";
import type { Clock } from "../runtime/clock.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { ChannelPool } from "./pool.ts";
import { tell } from "./tell.ts";

/** Milliseconds that the client may take to open a data channel for a stream that moves bulk. */
const MOVE_PATIENCE = 10_000;
/** Milliseconds after which another attempt to move a stream is made. */
const MOVE_AGAIN = 10_000;
/** Stream numbers are a `u32`; 0 is the carrier itself. */
const LAST_NUMBER = 0xffff_ffff;

/** What is told of carriers. */
export interface CarrierEvents {
  /** One is open. */
  opened(): void;
  /** One has ended, and cut so many streams. */
  lost(reason: string, streams: number): void;
}

/** What carriers are made with. */
export interface CarriersOptions {
  /** The session's data channels: where bulk goes. */
  readonly pool: ChannelPool;
  /** Owns carriers, which outlive their session as long as they have streams. */
  readonly owner: Scope;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** Times everything. */
  readonly clock: Clock;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** Hears of them. */
  readonly events: CarrierEvents;
  /** Milliseconds of silence after which a carrier's other end is asked whether it is there. */
  quiet(): number;
  /** `TCP_NODELAY` for data channels of the service at this moment. */
  nodelay(): boolean;
}

/** See the module. There are none until the client opens one. */
export class Carriers {
  readonly #options: CarriersOptions;
  readonly #all = new Set<Carrier>();
  /** Who wants to know when the first one is open. */
  readonly #watchers = new Set<() => void>();
  #welcome = 0;
  #number = 0;
  #closed = false;

  /** None so far. */
  constructor(options: CarriersOptions) {
    this.#options = options;
  }

  /** How many are open. */
  get size(): number {
    return this.#all.size;
  }

  /** How many are welcome: the client is to be told. */
  get welcome(): number {
    return this.#welcome;
  }

  set welcome(count: number) {
    this.#welcome = count;
    // The oldest are kept; the others end with their last stream.
    let left = this.#closed ? 0 : count;
    for (const carrier of [...this.#all]) {
      if (left > 0 && carrier.resume()) left--;
      else carrier.retire();
    }
    this.#adjustReserve();
  }

  /** How many the client is welcome to open, and has not. */
  get expected(): number {
    return Math.max(0, this.#welcome - this.#all.size);
  }

  /** Streams that are on them. */
  get streams(): number {
    let streams = 0;
    for (const carrier of this.#all) streams += carrier.streams;
    return streams;
  }

  /** Takes over a carrier that the client opened; false when none is wanted. `leave` when it ends. */
  join(connection: Connection, leave: () => void): boolean {
    const { buffers, clock, counters, owner, quiet } = this.#options;
    if (this.#closed || owner.aborted) return false;
    if (this.#all.size >= this.#welcome) {
      // The client may have lost one of which nothing is known here: the next attempt finds room.
      for (const one of this.#all) one.probe();
      return false;
    }
    const carrier: Carrier = new Carrier({
      connection,
      buffers,
      clock,
      counters,
      quiet: quiet(),
      bulky: (stream) => {
        if (clock.now() >= stream.movesAt) owner.run(() => this.#move(stream));
      },
    });
    owner.run(async () => {
      const forget = owner.onAbort((reason) => carrier.abort(reason));
      this.#opened(carrier);
      const { reason, cut } = await carrier.run();
      forget();
      leave();
      this.#lost(carrier, reason, cut);
    });
    return true;
  }

  /** Opens a stream on the carrier that has the fewest; undefined while there is none. */
  begin(command: ForwardCommand): Stream | undefined {
    let best: Carrier | undefined;
    for (const carrier of this.#all) {
      if (carrier.open && (best === undefined || carrier.streams < best.streams)) best = carrier;
    }
    return best?.begin(this.#nextNumber(), command);
  }

  /** Calls once when there is a carrier; returns how to take that back. */
  onOpen(watcher: () => void): () => void {
    if (this.#isOpen) {
      watcher();
      return () => {};
    }
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /**
   * Opens no streams any more. Those that are open live on, except where the client was found silent:
   * nobody is at their other end either.
   */
  close(reason: unknown): void {
    this.#closed = true;
    for (const carrier of [...this.#all]) carrier.outlive(reason);
  }

  #opened(carrier: Carrier): void {
    const { counters, events } = this.#options;
    this.#all.add(carrier);
    counters.carriers.add(carrier);
    this.#adjustReserve();
    events.opened();
    for (const watcher of [...this.#watchers]) watcher();
    this.#watchers.clear();
  }

  #lost(carrier: Carrier, reason: unknown, cut: number): void {
    const { counters, events } = this.#options;
    this.#all.delete(carrier);
    counters.carriers.delete(carrier);
    this.#adjustReserve();
    events.lost(explain(reason), cut);
  }

  get #isOpen(): boolean {
    return this.#all.values().some(({ open }) => open);
  }

  /** Where visitors have carriers, few data channels wait for them. */
  #adjustReserve(): void {
    this.#options.pool.sparing = this.#isOpen;
  }

  #nextNumber(): number {
    do this.#number = this.#number === LAST_NUMBER ? 1 : this.#number + 1; while (
      this.#all.values().some((carrier) => carrier.stream(this.#number) !== undefined)
    );
    return this.#number;
  }

  /** Gives a stream that moves bulk a data channel of its own. */
  async #move(stream: Stream): Promise<void> {
    const { clock, nodelay, owner, pool } = this.#options;
    stream.moving = true;
    try {
      const channel = await pool.take(MOVE_PATIENCE);
      const command = encodeContinue(stream.id);
      await tell(channel, command, { clock, scope: owner, nodelay: nodelay() });
      stream.moveTo(channel);
    } catch {
      // It goes on where it is, at the pace that this allows.
      stream.movesAt = clock.now() + MOVE_AGAIN;
      stream.moving = false;
    }
  }
}
