/**
 * How much of a stream may be under way: the receiver's side of its flow control. Pure numbers.
 *
 * @module
 */

/** Bytes that either end may send on a new stream before it hears of more. */
export const INITIAL_WINDOW = 32 * 1024;
/** The most bytes of a stream that may be sent and not taken. */
export const MOST_WINDOW = 256 * 1024;
/** The most credit that a sender can have, as a `u32` on the wire allows. */
export const MOST_CREDIT = 0x7fff_ffff;
/** Bytes by which the windows of all streams of a carrier together may exceed their initial ones. */
const MOST_EXTRA = 16 * 1024 * 1024;

/** By how much the windows of a carrier's streams may still grow. */
export class WindowBudget {
  #left = MOST_EXTRA;

  /** Up to so many bytes. */
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    return taken;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * A receiver's account. It grants credit when half of the window was taken, and then doubles the
 * window as long as it is below the most and the carrier's budget lasts: a stream that moves little
 * costs little, and one that moves much is not held up by the length of the way.
 */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  #size = INITIAL_WINDOW;
  /** What the sender may still send. */
  #open = INITIAL_WINDOW;
  #taken = 0;

  /** Starts with the initial window. */
  constructor(budget: WindowBudget) {
    this.#budget = budget;
  }

  /** Bytes have come; false when the sender had no credit for them. */
  received(bytes: number): boolean {
    this.#open -= bytes;
    return this.#open >= 0;
  }

  /** Bytes were taken by whoever reads. @returns credit to grant now, mostly 0 */
  taken(bytes: number): number {
    this.#taken += bytes;
    if (this.#taken < this.#size / 2) return 0;
    const grown = this.#budget.take(Math.min(this.#size, MOST_WINDOW - this.#size));
    const grant = this.#taken + grown;
    this.#size += grown;
    this.#open += grant;
    this.#taken = 0;
    return grant;
  }

  /** The stream has ended: others may have what it had. */
  close(): void {
    this.#budget.give(this.#size - INITIAL_WINDOW);
    this.#size = INITIAL_WINDOW;
  }
}
