/**
 * What to do when the process has no file descriptors left (ADR 10).
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";

/** The share of what was open then that visitors, with a data channel each, are held to. */
const VISITORS_SHARE = 3 / 4;
/** The share that handshakes of strangers are held to. */
const PENDING_SHARE = 1 / 8;
/** Milliseconds after the last failure for which it is remembered how many there were. */
const MEMORY = 60_000;

/** What is open at a moment. */
export interface Open {
  /** All connections. */
  readonly connections: number;
  /** Visitors among them. */
  readonly visitors: number;
  /** Visitors who have a stream on a carrier, and need no connection for themselves. */
  readonly carried: number;
}

/**
 * How many connections the process turned out to have descriptors for. The system does not tell
 * before, and changes its mind, so it is forgotten when nothing failed for a minute.
 */
export class Shortage {
  readonly #clock: Clock;
  #connections = 0;
  #ofAVisitor = 1;
  #until = -Infinity;

  /** Knows of none so far. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * No descriptor was left while so much was open. While an earlier shortage is
   * remembered, so is its number: fewer are open since, and what takes descriptors now is none of
   * ours that could be closed.
   */
  noticed({ connections, visitors, carried }: Open): void {
    const now = this.#clock.now();
    if (now >= this.#until) {
      this.#connections = connections;
      // Its own, and a data channel, which it may still be waiting for.
      this.#ofAVisitor = 2 - Math.min(1, carried / Math.max(1, visitors));
    }
    this.#until = now + MEMORY;
  }

  /** How many visitors there may be at this moment. */
  get visitors(): number {
    return this.#share(VISITORS_SHARE / this.#ofAVisitor);
  }

  /** How many handshakes may be pending at this moment. */
  get pending(): number {
    return this.#share(PENDING_SHARE);
  }

  #share(share: number): number {
    if (this.#clock.now() >= this.#until) return Infinity;
    return Math.max(1, Math.floor(this.#connections * share));
  }
}
