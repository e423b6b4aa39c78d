/**
 * What a session does from time to time: it says that the server is alive, and finds out whether
 * the client is.
 *
 * A client of ours is heard of by its heartbeats (`session.ts`). A client of 0.5.0 says nothing,
 * and the kernel of a stopped one acknowledges whatever it is sent, so only an answer counts: what
 * it answers is a request for a data channel.
 *
 * @module
 */

import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { ChannelPool } from "./pool.ts";

/** Milliseconds within which a client that was asked for data channels must open one. */
const ANSWER_TIMEOUT = 10_000;
/** The longest pause between looks, in milliseconds: what may have changed meanwhile is seen then. */
const LOOK = 5_000;
/**
 * Probes are so many times rarer where the channel that answers must take another's place: for
 * each that is closed unused, a 0.5.0 client logs a warning. Whoever visits is a probe as well.
 */
const RARELY = 20;
/**
 * Milliseconds that a channel may wait where its end is no news to the client. Less than the four
 * minutes after which the most forgetful of common NATs and load balancers drop a connection.
 */
const MAX_AGE = 180_000;

/** What it needs to know and do. */
export interface PulseOptions {
  /** Times everything. */
  readonly clock: Clock;
  /** The client's data channels. */
  readonly pool: ChannelPool;
  /** Milliseconds between heartbeats, and between probes, at this moment; 0 none. */
  interval(): number;
  /** Bytes that the client has sent on its data channels so far: as good as an answer. */
  received(): number;
  /** Sends a heartbeat. */
  beat(): void;
  /** Gives the client up. */
  end(reason: RatholeError): void;
}

/** See the module. Takes a client for one of 0.5.0 until told otherwise. */
export class Pulse {
  readonly #options: PulseOptions;
  #lastBeat: number;
  #received: number;
  #announced = false;
  #deadline: Deadline;
  #over = false;

  /** Starts to look. */
  constructor(options: PulseOptions) {
    this.#options = options;
    this.#lastBeat = options.clock.now();
    this.#received = options.received();
    // Between now and the first look, requests are made and settings may come.
    this.#deadline = options.clock.after(this.#untilNext(), () => this.#look());
  }

  /** Whether the client has announced heartbeats of its own: then nothing else is asked of it. */
  set announced(value: boolean) {
    this.#announced = value;
    // Whatever it owes was owed before it could say who it is.
    this.#options.pool.heard();
  }

  /**
   * Takes notice of what has come since it last did. Must be called before a request is made, or
   * bytes from before would be taken for an answer to it.
   */
  notice(): void {
    const { pool, received } = this.#options;
    const bytes = received();
    if (bytes === this.#received) return;
    this.#received = bytes;
    pool.heard();
  }

  /** Stops looking. */
  cancel(): void {
    this.#over = true;
    this.#deadline.cancel();
  }

  #look(): void {
    const { beat, clock, interval, pool } = this.#options;
    const every = interval();
    if (every > 0 && clock.now() >= this.#lastBeat + every) {
      this.#lastBeat = clock.now();
      beat();
    }
    if (this.#announced) pool.refresh(MAX_AGE);
    else this.#judge(every);
    if (!this.#over) this.#deadline = clock.after(this.#untilNext(), () => this.#look());
  }

  /** Probes a client that was quiet for long, and gives one up that owes an answer for too long. */
  #judge(interval: number): void {
    const { clock, end, pool } = this.#options;
    this.notice();
    const since = pool.unansweredSince;
    if (since === undefined) {
      if (clock.now() >= this.#probeDue(interval)) pool.probe();
    } else if (clock.now() >= since + ANSWER_TIMEOUT) {
      const message = `the client opened none of the data channels that it was asked for within ${
        ANSWER_TIMEOUT / 1000
      } s: it hangs or cannot be reached`;
      end(new RatholeError("timeout", message));
    }
  }

  #probeDue(interval: number): number {
    const { pool } = this.#options;
    return interval > 0 ? pool.heardAt + interval * (pool.full ? RARELY : 1) : Infinity;
  }

  #untilNext(): number {
    const { clock, interval, pool } = this.#options;
    const every = interval();
    let next = clock.now() + LOOK;
    if (every > 0) next = Math.min(next, this.#lastBeat + every);
    if (!this.#announced) {
      const since = pool.unansweredSince;
      next = Math.min(next, since === undefined ? this.#probeDue(every) : since + ANSWER_TIMEOUT);
    }
    return next - clock.now();
  }
}
