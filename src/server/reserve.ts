/**
 * How many data channels are to wait for visitors.
 *
 * @module
 */

/** Milliseconds after which a reserve that was not needed is made smaller. */
const REVIEW = 10_000;

/** Milliseconds for which nobody's waiting makes it larger after it had to make way. */
const PENANCE = 60_000;
/** Channels that are kept where visitors share carriers: for those of them that move bulk. */
const SPARING = 2;

/** Between what a reserve may move. */
export interface ReserveBounds {
  /** The fewest channels. */
  readonly least: number;
  /** The most that demand makes of it: each channel holds a socket at both ends. */
  readonly most: number;
  /** What all reserves together may grow by; nothing more bounds it without. */
  readonly growth?: Growth;
}

/**
 * By how many channels all reserves of a server may still grow: a stranger who visits one service
 * after the other must not take the descriptors of a client's machine.
 */
export class Growth {
  #left: number;

  /** So many in all. */
  constructor(left: number) {
    this.#left = left;
  }

  /** Takes up to so many; returns how many. */
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    return taken;
  }

  /** Gives so many back. */
  give(count: number): void {
    this.#left += count;
  }
}

/**
 * A reserve that follows demand. A visitor who finds no channel waits for the client to dial one,
 * two round trips; so many as waited at once are kept in reserve from then on, and half of them are
 * given up for each 10 s in which more than half stayed unused.
 */
export class Reserve {
  readonly #least: number;
  readonly #most: number;
  readonly #growth: Growth;
  #size: number;
  /** The fewest channels that were left since the last review. */
  #unused = Infinity;
  #reviewAt: number;
  #growsAt = -Infinity;
  /** Whether visitors have carriers. */
  sparing = false;

  /** From `least`, with which it begins, to `most`; `now` in milliseconds. */
  constructor({ least, most, growth = new Growth(most) }: ReserveBounds, now: number) {
    this.#least = least;
    this.#most = most;
    this.#growth = growth;
    this.#size = least;
    this.#reviewAt = now + REVIEW;
  }

  /** How many channels are to wait. */
  get size(): number {
    return this.sparing ? Math.min(SPARING, this.#least) : this.#size;
  }

  /** A visitor was served, and so many channels are left. */
  taken(left: number): void {
    if (left < this.#unused) this.#unused = left;
  }

  /** So many visitors wait for a channel. */
  missed(waiting: number, now: number): void {
    this.#unused = 0;
    if (this.sparing || this.frugal(now)) return;
    const wanted = Math.min(this.#most, this.#least + waiting) - this.#size;
    if (wanted > 0) this.#size += this.#growth.take(wanted);
  }

  /** Whether it had to make way a short while ago. */
  frugal(now: number): boolean {
    return now < this.#growsAt;
  }

  /** What it holds is needed elsewhere: it is its least from now on, and stays so for a minute. */
  makeWay(now: number): void {
    this.#shrink(this.#least);
    this.#growsAt = now + PENANCE;
  }

  /** It is over: others may grow. */
  close(): void {
    this.#shrink(this.#least);
  }

  /** Makes it smaller when it has been too large. */
  review(now: number): void {
    if (now < this.#reviewAt) return;
    if (this.#unused > this.#size / 2) {
      this.#shrink(Math.max(this.#least, Math.ceil(this.#size / 2)));
    }
    this.#unused = Infinity;
    this.#reviewAt = now + REVIEW;
  }

  #shrink(size: number): void {
    this.#growth.give(this.#size - size);
    this.#size = size;
  }
}
