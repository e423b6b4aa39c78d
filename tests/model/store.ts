/**
 * Buffers whose owners are watched.
 *
 * @module
 */

import { BufferStore } from "../../src/net/buffers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What bytes of buffers that were given back turn into. */
const POISON = 0xbb;

/** Buffers that are spoilt when they are given back, so that nobody looks at them any more. */
export class WatchedStore extends BufferStore {
  /** Told of buffers that are given back twice. */
  violate: (what: string) => void = () => {};
  readonly #kept = new Set<Bytes>();

  /** See {@linkcode BufferStore.take}. */
  override take(rung: number): Bytes | undefined {
    const buffer = super.take(rung);
    if (buffer !== undefined) this.#kept.delete(buffer);
    return buffer;
  }

  /** See {@linkcode BufferStore.give}. */
  override give(rung: number, buffer: Bytes): void {
    if (this.#kept.has(buffer)) return this.violate("a buffer was given back twice");
    this.#kept.add(buffer);
    buffer.fill(POISON);
    super.give(rung, buffer);
    if (this.#kept.size > 4_000) this.#kept.clear();
  }
}
