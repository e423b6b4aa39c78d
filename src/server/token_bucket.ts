/**
 * A rate with room for bursts.
 *
 * @module
 */

/** How much of something may happen. */
export interface Rate {
  /** In the long run, so many a second. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/**
 * Allows `burst` events at once and `perSecond` in the long run. Two numbers, and no timer: what
 * has come back since is worked out when somebody asks. Times are a clock's milliseconds.
 */
export class TokenBucket {
  #tokens: number;
  #filled: number;

  /** A full one. */
  constructor({ burst }: Rate, now: number) {
    this.#tokens = burst;
    this.#filled = now;
  }

  /** Whether one more may happen now; if so it has. The rate may differ from call to call. */
  take(rate: Rate, now: number): boolean {
    this.#fill(rate, now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** One that was taken does not count after all. */
  giveBack(): void {
    this.#tokens++;
  }

  #fill({ burst, perSecond }: Rate, now: number): void {
    const back = (now - this.#filled) / 1000 * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + back);
    this.#filled = now;
  }
}
