/**
 * Whether the other end of a carrier is still there.
 *
 * @module
 */

import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";

/** Milliseconds that the other end may take to answer. */
const ANSWER_TIMEOUT = 10_000;

/** What a probe needs to know and do. */
export interface ProbeOptions {
  /** Times it. */
  readonly clock: Clock;
  /** Milliseconds of silence after which the other end is asked; 0 never. */
  readonly quiet: number;
  /** Asks. */
  ask(): void;
  /** There was no answer. */
  silent(error: RatholeError): void;
}

/**
 * Asks after silence, and gives up after more of it. Hearing something costs no look at the clock;
 * there are two looks in the time after which the other end is asked at the latest.
 */
export class Probe {
  /** Whether anything was heard since the last look: to be set by whoever hears it. */
  heard = false;
  readonly #options: ProbeOptions;
  #asked = false;
  #deadline: Deadline | undefined;

  /** Begins to listen. */
  constructor(options: ProbeOptions) {
    this.#options = options;
    if (options.quiet > 0) this.#listen();
  }

  /** Asks now. */
  ask(): void {
    if (this.#asked) return;
    this.cancel();
    this.#asked = true;
    this.heard = false;
    // First, so that an end that comes of asking has something to cancel.
    this.#listen();
    this.#options.ask();
  }

  /** Stops. */
  cancel(): void {
    this.#deadline?.cancel();
  }

  #listen(): void {
    const { clock, quiet } = this.#options;
    this.#deadline = clock.after(this.#asked ? ANSWER_TIMEOUT : quiet / 2, () => this.#look());
  }

  #look(): void {
    if (!this.heard && this.#asked) {
      const message = `the other end of a carrier did not answer within ${ANSWER_TIMEOUT / 1000} s`;
      return this.#options.silent(new RatholeError("timeout", message));
    }
    if (!this.heard) return this.ask();
    this.#asked = this.heard = false;
    if (this.#options.quiet > 0) this.#listen();
  }
}
