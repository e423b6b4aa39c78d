/**
 * What has come for a stream and was not taken yet.
 *
 * @module
 */

import { type BufferStore, rungFor } from "../net/buffers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NONE: Bytes = new Uint8Array(0);
/** Of a buffer that is too large to be kept for others. */
const OWN = -1;

/**
 * Bytes in the order they came. Holds no memory while it is empty, and at most about twice what it
 * has bytes; its bound is the credit that the sender was given.
 */
export class Inbox {
  readonly #store: BufferStore;
  #filling = NONE;
  #rung = OWN;
  #start = 0;
  #end = 0;
  /** What the reader has at the moment. */
  #lent = NONE;
  #lentRung = OWN;

  /** Empty. */
  constructor(store: BufferStore) {
    this.#store = store;
  }

  /** Bytes that nobody has taken. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Adds a copy of bytes. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#filling.length) this.#makeRoom(bytes.length);
    this.#filling.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** All bytes, or as many as asked for, lent until the next call; null when there are none. */
  take(max?: number): Uint8Array | null {
    this.#returnLent();
    const { size } = this;
    if (size === 0) return null;
    const start = this.#start;
    if (max !== undefined && max < size) {
      this.#start += max;
      return this.#filling.slice(start, start + max);
    }
    const all = this.#filling.subarray(start, this.#end);
    this.#lent = this.#filling;
    this.#lentRung = this.#rung;
    this.#filling = NONE;
    this.#rung = OWN;
    this.#start = this.#end = 0;
    return all;
  }

  /** Nobody will take anything any more, and what is lent may still be in use. */
  abandon(): void {
    this.#give(this.#filling, this.#rung);
    if (this.#lentRung !== OWN) this.#store.forget(this.#lentRung);
    this.#filling = this.#lent = NONE;
    this.#rung = this.#lentRung = OWN;
    this.#start = this.#end = 0;
  }

  #makeRoom(more: number): void {
    const { size } = this;
    const needed = size + more;
    const rung = rungFor(needed);
    const buffer = rung === OWN ? undefined : this.#store.take(rung);
    const grown = buffer ?? new Uint8Array(Math.max(needed, 2 * this.#filling.length));
    grown.set(this.#filling.subarray(this.#start, this.#end));
    this.#give(this.#filling, this.#rung);
    this.#filling = grown;
    this.#rung = buffer === undefined ? OWN : rung;
    this.#start = 0;
    this.#end = size;
  }

  #returnLent(): void {
    this.#give(this.#lent, this.#lentRung);
    this.#lent = NONE;
    this.#lentRung = OWN;
  }

  #give(buffer: Bytes, rung: number): void {
    if (rung !== OWN) this.#store.give(rung, buffer);
  }
}
