/**
 * The carriers of one session on the client's side: dialled when the server says how many are
 * welcome, and again when one is lost.
 *
 * @module
 */

import { Carrier, MOST_STREAMS } from "../carrier/carrier.ts";
import type { CarrierCounters } from "../carrier/counters.ts";
import type { Stream } from "../carrier/stream.ts";
import type { Connection } from "../net/connection.ts";
import { encodeHello, type ForwardCommand } from "../protocol/messages.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { ClientContext } from "./context.ts";
import { refuseType, serveVisitor } from "./data_channel.ts";
import type { Forwarder } from "./forwarder.ts";

/** The longest pause between attempts, in milliseconds. */
const LONGEST_PAUSE = 10_000;
/** A carrier that lasted so many milliseconds was a success: pauses start over. */
const LASTED = 3_000;

/** What carriers are made with. */
export interface CarriersOptions {
  /** The service's name. */
  readonly service: string;
  /** What the server recognises the session by: 32 bytes. */
  readonly key: Uint8Array;
  /** How many to have at most. */
  readonly wanted: number;
  /** Milliseconds of silence after which the other end is asked whether it is there; 0 never. */
  readonly quiet: number;
  /** Serves visitors. */
  readonly forwarder: Forwarder;
  /** The session: no carrier is opened when it has ended. */
  readonly session: Scope;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** What it shares with the others. */
  readonly context: ClientContext;
  /** Opens a connection on the way that the control channel took. @throws {RatholeError} */
  dial(): Promise<Connection>;
}

/** See the module. */
export class Carriers {
  readonly #options: CarriersOptions;
  /** Owns carriers, which outlive the session as long as they have streams. */
  readonly #owner: Scope;
  readonly #open = new Set<Carrier>();
  /** How many there are to be. */
  #target = 0;
  /** How many are kept: open, or being dialled. */
  #kept = 0;
  /** Visitors that are served, also those whose streams are over while the service is dialled. */
  #serving = 0;

  /** None so far. */
  constructor(options: CarriersOptions) {
    this.#options = options;
    this.#owner = options.context.carriers;
    options.session.onAbort((reason) => {
      for (const carrier of [...this.#open]) carrier.outlive(reason);
    });
  }

  /** The server takes so many. */
  welcome(count: number): void {
    const { session, wanted } = this.#options;
    this.#target = Math.min(count, wanted);
    while (this.#kept < this.#target) {
      this.#kept++;
      session.run((signal) => this.#keep(signal));
    }
  }

  /** The stream of this number. */
  stream(id: number): Stream | undefined {
    for (const carrier of this.#open) {
      const stream = carrier.stream(id);
      if (stream !== undefined) return stream;
    }
    return undefined;
  }

  /** Has a carrier open as long as there are not too many. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#options.context;
    const { service } = this.#options;
    const backoff = new Backoff(LONGEST_PAUSE);
    while (!signal.aborted && this.#kept <= this.#target) {
      const since = clock.now();
      let reason: unknown;
      try {
        reason = await this.#carry(await this.#dial());
      } catch (error) {
        reason = error;
      }
      if (signal.aborted) return;
      if (clock.now() - since >= LASTED) backoff.reset();
      else if (this.#kept <= this.#target) {
        journal.record({ type: "carrier-failed", service, reason: explain(reason) });
      }
      await sleep(clock, backoff.next(), signal);
    }
    this.#kept--;
  }

  async #dial(): Promise<Connection> {
    const { dial, key } = this.#options;
    const connection = await dial();
    try {
      await connection.write(encodeHello({ kind: "carrier", digest: key }));
      return connection;
    } catch (error) {
      connection.abort(error);
      throw error;
    }
  }

  /** Carries until the carrier has ended, which it resolves with, or the session has. */
  #carry(connection: Connection): Promise<unknown> {
    const { context, counters, quiet, service, session } = this.#options;
    const { buffers, clock, journal } = context;
    // Everything may have ended while it was dialled.
    if (this.#owner.aborted) {
      connection.abort();
      return Promise.resolve(this.#owner.signal.reason);
    }
    const carrier = new Carrier({
      connection,
      buffers,
      clock,
      counters,
      quiet,
      accept: (stream, command) => this.#accept(stream, command),
    });
    const { promise: over, resolve } = Promise.withResolvers<unknown>();
    this.#owner.run(async () => {
      const forget = this.#owner.onAbort((reason) => carrier.abort(reason));
      this.#open.add(carrier);
      counters.carriers.add(carrier);
      journal.record({ type: "carrier-opened", service });
      if (session.aborted) carrier.retire();
      const { reason, cut } = await carrier.run();
      forget();
      this.#open.delete(carrier);
      counters.carriers.delete(carrier);
      journal.record({ type: "carrier-lost", service, reason: explain(reason), streams: cut });
      resolve(reason);
    });
    const forget = session.onAbort(resolve);
    return over.finally(forget);
  }

  #accept(stream: Stream, command: ForwardCommand): void {
    const { context, forwarder, service } = this.#options;
    if (this.#serving >= MOST_STREAMS) {
      return stream.abort(new RatholeError("limit", "more visitors than a client serves at once"));
    }
    if (command === forwarder.command) {
      this.#serving++;
      return serveVisitor(forwarder, stream, () => this.#serving--);
    }
    stream.abort(refuseType(context, service, command));
  }
}
