/**
 * How many connections of Deno's own TLS are closing, about.
 *
 * @module
 */

/** Milliseconds for which a closed connection occupies a thread, and its descriptor. */
const OCCUPIED = 100;
/** Threads that closing may occupy for good; the runtime has 32. */
const THREADS = 16;

/**
 * A client's connection of `Deno.startTls` at TLS 1.3, once it is closed, sleeps for 100 ms in one
 * of the 32 threads that the runtime has for files, look-ups of names and WebCrypto: more than 320
 * a second pile up with their descriptors, and all that needs a thread waits behind them (ADR 7).
 * This tells when so many have been closed that others should be made in another way.
 */
export class Closings {
  readonly #now: () => number;
  /** When {@linkcode THREADS} threads would be done with what was closed until now. */
  #done = -Infinity;

  /** `now` in milliseconds, as `Clock.now`. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether closing occupies all the threads that it may. */
  get many(): boolean {
    return this.#done - this.#now() >= OCCUPIED;
  }

  /** A connection was closed. */
  add(): void {
    this.#done = Math.max(this.#done, this.#now()) + OCCUPIED / THREADS;
  }
}
