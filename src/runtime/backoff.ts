/**
 * How long to wait before the next attempt.
 *
 * @module
 */

/** The first wait, in milliseconds (as in rathole 0.5.0). */
const FIRST_WAIT = 500;
/** The shortest cap: without it, no interval at all would be a loop that never rests. */
const LEAST_CAP = 100;
/** What each further wait is multiplied by. */
const FACTOR = 3;
/** Each wait is drawn from ± this share around its value, so that a herd spreads out. */
const JITTER = 0.2;

/**
 * Waits that grow threefold from half a second up to a cap, each ± 20 %: rathole 0.5.0's rhythm.
 * Where the cap is below half a second, the cap is the first wait; it is never below 100 ms.
 */
export class Backoff {
  readonly #cap: number;
  readonly #random: () => number;
  #wait: number;

  /** `cap` in milliseconds; `random` gives numbers from 0 to 1 and exists for tests. */
  constructor(cap: number, random: () => number = Math.random) {
    this.#cap = Math.max(LEAST_CAP, cap);
    this.#random = random;
    this.#wait = Math.min(FIRST_WAIT, this.#cap);
  }

  /** The next wait in milliseconds, at most the cap (its jitter included). */
  next(): number {
    const wait = this.#wait;
    this.#wait = Math.min(this.#cap, wait * FACTOR);
    return Math.min(this.#cap, wait * (1 - JITTER + 2 * JITTER * this.#random()));
  }

  /** Starts over with the first wait: the last attempt led to something that lasted. */
  reset(): void {
    this.#wait = Math.min(FIRST_WAIT, this.#cap);
  }
}
