/**
 * A stream's bytes on their way straight into another connection, without a read for each.
 *
 * @module
 */

import type { ByteCounter, Connection } from "../net/connection.ts";
import type { Receiving } from "./receiving.ts";

/** Writes what has come, as often as the write before is over. */
export class Pouring {
  /** Settles when it has ended, rejects when a write has failed. */
  readonly over: Promise<void>;
  readonly #receiving: Receiving;
  readonly #to: Connection;
  readonly #counter: ByteCounter;
  readonly #taken: () => void;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #writing = false;
  #length = 0;

  /** Has `taken` called when what was given is written. */
  constructor(receiving: Receiving, to: Connection, counter: ByteCounter, taken: () => void) {
    this.#receiving = receiving;
    this.#to = to;
    this.#counter = counter;
    this.#taken = taken;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.over = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Writes what there is, if nothing is being written; whether anything is now. */
  next(): boolean {
    if (this.#writing) return true;
    const chunk = this.#receiving.take(undefined);
    if (chunk === null) return false;
    this.#writing = true;
    this.#length = chunk.length;
    this.#to.write(chunk).then(this.#onWritten, this.#onFailed);
    return true;
  }

  /** Nothing comes this way any more. */
  end(): void {
    this.#resolve();
  }

  /** The stream is over. */
  fail(error: unknown): void {
    this.#reject(error);
  }

  // Made once a stream, not once a chunk.
  readonly #onWritten = (): void => {
    this.#writing = false;
    this.#counter.bytes += this.#length;
    this.#taken();
  };

  readonly #onFailed = (error: unknown): void => this.#reject(error);
}
