/**
 * Data channels that a client was asked for: which have not come yet, and whether it answers at all.
 *
 * @module
 */

import type { Clock, Deadline } from "../runtime/clock.ts";

/**
 * Milliseconds after which a channel that was asked for is no longer expected to come: a visitor
 * who waits 10 s gets a second chance.
 */
const LIFETIME = 5_000;

/** What requests need to know and do. */
export interface RequestOptions {
  /** Times them. */
  readonly clock: Clock;
  /** Asks the client for so many channels. */
  request(count: number): void;
  /** Hears that the oldest request is no longer expected to be answered. */
  overdue(): void;
}

/** See the module. */
export class Requests {
  readonly #options: RequestOptions;
  /** When each channel that has not arrived was asked for, oldest first. */
  readonly #times: number[] = [];
  #expiry: Deadline | undefined;
  #heardAt: number;
  #unansweredSince: number | undefined;

  /** None so far. */
  constructor(options: RequestOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** Channels that were asked for and have not come. */
  get coming(): number {
    return this.#times.length;
  }

  /** When the client last showed that it is alive. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** When the first request was made that nothing was heard since; undefined without one. */
  get unansweredSince(): number | undefined {
    return this.#unansweredSince;
  }

  /** The client is alive: whatever it was asked before, it is not for silence that it owes it. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#unansweredSince = undefined;
  }

  /** Asks for so many channels. */
  ask(count: number): void {
    const now = this.#options.clock.now();
    for (let i = 0; i < count; i++) this.#times.push(now);
    this.#options.request(count);
    // Afterwards: what was heard until now answers older requests, and not this one.
    this.#unansweredSince ??= now;
    this.#watch(now);
  }

  /** A channel has come; whether it was asked for. */
  answered(): boolean {
    return this.#times.shift() !== undefined;
  }

  /** Gives up those that are no longer expected to be answered. */
  expire(): void {
    const now = this.#options.clock.now();
    while ((this.#times[0] ?? now) < now - LIFETIME) this.#times.shift();
    this.#watch(now);
  }

  /** Expects nothing any more. */
  close(): void {
    this.#expiry?.cancel();
    this.#times.length = 0;
  }

  /** Has the oldest request looked at again when it is no longer expected to be answered. */
  #watch(now: number): void {
    const oldest = this.#times[0];
    if (oldest === undefined || this.#expiry !== undefined) return;
    this.#expiry = this.#options.clock.after(oldest + LIFETIME + 1 - now, () => {
      this.#expiry = undefined;
      this.#options.overdue();
    });
  }
}
