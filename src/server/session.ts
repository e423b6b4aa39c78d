/**
 * One client's hold on one service: its control channel and the data channels that belong to it.
 *
 * @module
 */

import type { CarrierCounters } from "../carrier/counters.ts";
import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import {
  CARRIERS,
  decodeExtension,
  EXTENSION_HEADER_LENGTH,
  extensionPayloadLength,
} from "../protocol/extension.ts";
import { encodeDataCommand, type ForwardCommand } from "../protocol/messages.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { SilenceWatch } from "../runtime/silence.ts";
import { type CarrierEvents, Carriers } from "./carriers.ts";
import { Commands } from "./commands.ts";
import { FrameRate } from "./frame_rate.ts";
import { ChannelPool, type DataChannel } from "./pool.ts";
import { Pulse } from "./pulse.ts";
import type { ReserveBounds } from "./reserve.ts";
import { tell } from "./tell.ts";

/** A client that announced heartbeats is given up after this many of its intervals in silence. */
const SILENT_INTERVALS = 4 / 3;

/** What a session needs to have carriers. */
export interface SessionCarriers {
  /** Owns carriers: they outlive their session as long as they have streams. */
  readonly owner: Scope;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** Hears of them. */
  readonly events: CarrierEvents;
  /** How many the client may have, at this moment. */
  most(): number;
  /** `TCP_NODELAY` of the service's data channels at this moment. */
  nodelay(): boolean;
}

/** How a channel is to be found for a visitor. */
export interface OpenOptions {
  /** Milliseconds that it may take; for ever without. */
  readonly timeout?: number;
  /** Is given a data channel that is being told to forward, so that it can be closed. */
  hold?(channel: DataChannel | undefined): void;
  /** Whether nobody waits for it any more. */
  over?(): boolean;
}

/** What a session is made of. */
export interface SessionOptions {
  /** The authenticated control channel. */
  readonly connection: Connection;
  /** Where its socket comes from, if that is a proxy that named the client behind it. */
  readonly via?: Address | undefined;
  /** What data channels are recognised by: 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds between heartbeats to the client, and between probes of one of 0.5.0; 0 none. */
  heartbeatInterval(): number;
  /** Bytes that came back from the service's clients so far. */
  received(): number;
  /** Data channels to keep in reserve. */
  readonly reserve: ReserveBounds;
  /** Most data channels, and streams on carriers. */
  readonly poolLimit: number;
  /** Carriers. */
  readonly carriers: SessionCarriers;
  /** Owns the session's tasks; left when the session ends. */
  readonly scope: Scope;
  /** Times everything. */
  readonly clock: Clock;
}

/** See the module. Ends when the client goes, falls silent, breaks the protocol, or is displaced. */
export class Session {
  /** What data channels are recognised by. */
  readonly key: Uint8Array;
  /** The client's address. */
  readonly peer: Address;
  /** The network that its connections come from, as `sourceNetwork` names it. */
  readonly network: string;
  /** Owns the session's tasks. */
  readonly scope: Scope;
  /** The data channels. */
  readonly pool: ChannelPool;
  /** The carriers. */
  readonly carriers: Carriers;
  readonly #options: SessionOptions;
  readonly #commands: Commands;
  #pulse: Pulse | undefined;
  #silence: SilenceWatch | undefined;
  #extended = false;
  /** How many carriers the client wants. */
  #wanted = 0;

  /** Starts at once to ask for data channels and to send heartbeats. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.key = options.key;
    this.peer = options.connection.peer;
    this.network = sourceNetwork((options.via ?? this.peer).hostname);
    this.scope = options.scope;
    options.connection.setNoDelay(true);
    this.#commands = new Commands(options);
    this.pool = new ChannelPool({
      reserve: options.reserve,
      limit: options.poolLimit,
      clock: options.clock,
      request: (count) => {
        // The pool's first requests are made while it is made.
        this.#pulse?.notice();
        this.#commands.create(count);
      },
    });
    this.#pulse = new Pulse({
      clock: options.clock,
      pool: this.pool,
      interval: options.heartbeatInterval,
      received: options.received,
      beat: () => this.#commands.beat(),
      end: (reason) => this.end(reason),
    });
    const { carriers, clock } = options;
    const quiet = options.heartbeatInterval;
    this.carriers = new Carriers({ ...carriers, pool: this.pool, clock, quiet });
    this.scope.onAbort((reason) => {
      options.connection.abort(reason);
      this.#silence?.cancel();
      this.#pulse?.cancel();
      const why = reason ?? new RatholeError("aborted", "the server is stopping");
      this.pool.close(why);
      this.carriers.close(why);
    });
  }

  /** Whether the client said that it is more than rathole 0.5.0. */
  get extended(): boolean {
    return this.#extended;
  }

  /** Tells the client how many carriers it may have, where that is news. */
  welcomeCarriers(): void {
    const welcome = Math.min(this.#wanted, this.#options.carriers.most());
    if (welcome === this.carriers.welcome) return;
    this.carriers.welcome = welcome;
    this.#commands.welcome(welcome);
  }

  /**
   * A channel that the client was told to forward: a stream on a carrier where there is one, a data
   * channel otherwise. Where a data channel turns out to be dead, another is tried.
   *
   * @throws {RatholeError} `timeout`, `limit`, or why the session has ended
   */
  async open(
    command: ForwardCommand,
    { timeout, hold, over }: OpenOptions = {},
  ): Promise<DataChannel> {
    const { carriers, clock, poolLimit } = this.#options;
    const end = timeout === undefined ? undefined : clock.now() + timeout;
    if (this.scope.aborted) throw this.scope.signal.reason;
    if (this.pool.inUse + this.carriers.streams >= poolLimit) {
      throw new RatholeError("limit", `max_data_channels = ${poolLimit} reached`);
    }
    const stream = this.carriers.begin(command);
    if (stream !== undefined) {
      return { connection: stream, first: undefined, release: () => stream.abort() };
    }
    for (;;) {
      const channel = await this.pool.take(end === undefined ? undefined : end - clock.now());
      hold?.(channel);
      const nodelay = carriers.nodelay();
      try {
        await tell(channel, encodeDataCommand(command), { clock, scope: this.scope, nodelay });
        return channel;
      } catch (error) {
        hold?.(undefined);
        if (over?.()) throw error;
      }
    }
  }

  /** Ends the session. */
  end(reason: unknown): void {
    this.scope.abort(reason);
  }

  /**
   * Reads what the client says until the session ends; a 0.5.0 client says nothing, and its end is
   * what there is to read.
   *
   * @returns why it ended
   */
  async listen(): Promise<unknown> {
    const { clock, connection } = this.#options;
    const rate = new FrameRate(clock);
    try {
      for (;;) {
        const header = await readExact(connection, EXTENSION_HEADER_LENGTH);
        rate.count();
        const type = header[0] ?? 0;
        const length = extensionPayloadLength(header);
        const payload = length === 0 ? new Uint8Array(0) : await readExact(connection, length);
        this.#hear(type, payload);
      }
    } catch (error) {
      this.end(error);
      // A last word may have come after the scope was left.
      this.#silence?.cancel();
      return this.scope.signal.reason ?? error;
    }
  }

  #hear(type: number, payload: Uint8Array): void {
    const frame = decodeExtension(type, payload);
    if (frame.type === "hello") {
      this.#extended = true;
      const beats = frame.heartbeatInterval > 0;
      this.pool.tellsOtherwise = beats;
      if (this.#pulse !== undefined) this.#pulse.announced = beats;
      this.#silence?.cancel();
      if (frame.heartbeatInterval > 0) this.#expectHeartbeats(frame.heartbeatInterval);
      this.#wanted = (frame.features & CARRIERS) === 0 ? 0 : frame.carriers;
      this.welcomeCarriers();
    } else {
      this.#silence?.heard();
    }
  }

  #expectHeartbeats(interval: number): void {
    const patience = interval * SILENT_INTERVALS;
    this.#silence = new SilenceWatch(this.#options.clock, patience, () => {
      const message = `the client was silent for ${Math.round(patience) / 1000} s`;
      this.end(new RatholeError("timeout", message));
    });
  }
}
