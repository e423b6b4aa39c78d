/**
 * How many data channels are to wait for visitors.
 *
 * @module
 */

/** Milliseconds after which a reserve that was not needed is made smaller. */
const REVIEW = 10_000;

/** Milliseconds for which nobody's waiting makes it larger after it had to make way. */
const PENANCE = 60_000;

/** Between what a reserve may move. */
export interface ReserveBounds {
  /** The fewest channels. */
  readonly least: number;
  /** The most that demand makes of it: each channel holds a socket at both ends. */
  readonly most: number;
}

/**
 * A reserve that follows demand. A visitor who finds no channel waits for the client to dial one,
 * two round trips; so many as waited at once are kept in reserve from then on, and half of them are
 * given up for each 10 s in which more than half stayed unused.
 */
export class Reserve {
  readonly #least: number;
  readonly #most: number;
  #size: number;
  /** The fewest channels that were left since the last review. */
  #unused = Infinity;
  #reviewAt: number;
  #growsAt = -Infinity;

  /** From `least`, with which it begins, to `most`; `now` in milliseconds. */
  constructor({ least, most }: ReserveBounds, now: number) {
    this.#least = least;
    this.#most = most;
    this.#size = least;
    this.#reviewAt = now + REVIEW;
  }

  /** How many channels are to wait. */
  get size(): number {
    return this.#size;
  }

  /** A visitor was served, and so many channels are left. */
  taken(left: number): void {
    if (left < this.#unused) this.#unused = left;
  }

  /** So many visitors wait for a channel. */
  missed(waiting: number, now: number): void {
    this.#unused = 0;
    if (now < this.#growsAt) return;
    this.#size = Math.max(this.#size, Math.min(this.#most, this.#least + waiting));
  }

  /** What it holds is needed elsewhere: it is its least from now on, and stays so for a minute. */
  makeWay(now: number): void {
    this.#size = this.#least;
    this.#growsAt = now + PENANCE;
  }

  /** Makes it smaller when it has been too large. */
  review(now: number): void {
    if (now < this.#reviewAt) return;
    if (this.#unused > this.#size / 2) {
      this.#size = Math.max(this.#least, Math.ceil(this.#size / 2));
    }
    this.#unused = Infinity;
    this.#reviewAt = now + REVIEW;
  }
}
