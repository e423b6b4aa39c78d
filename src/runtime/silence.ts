/**
 * Noticing that the other end has fallen silent.
 *
 * @module
 */

import type { Clock, Deadline } from "./clock.ts";

/**
 * Calls `silent` once, when nothing was heard for `patience` milliseconds. Hearing something costs
 * no more than noting the time: one deadline moves on by itself.
 */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #silent: () => void;
  #heard: number;
  #deadline: Deadline;

  /** Starts to listen. */
  constructor(clock: Clock, patience: number, silent: () => void) {
    this.#clock = clock;
    this.#patience = patience;
    this.#silent = silent;
    this.#heard = clock.now();
    this.#deadline = clock.after(patience, () => this.#check());
  }

  /** Something was heard. */
  heard(): void {
    this.#heard = this.#clock.now();
  }

  /** Stops listening. */
  cancel(): void {
    this.#deadline.cancel();
  }

  #check(): void {
    const left = this.#heard + this.#patience - this.#clock.now();
    if (left > 0) this.#deadline = this.#clock.after(left, () => this.#check());
    else this.#silent();
  }
}
