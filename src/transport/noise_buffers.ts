/**
 * Buffers for sealed bytes, shared by all connections of a noise transport: one is held only while
 * a write is under way or a frame is incomplete, so that an idle connection holds none.
 *
 * @module
 */

/** Before every Noise message: its length, `u16`, little-endian. */
export const LENGTH_BYTES = 2;
/** The most bytes that one message carries: 65,535 less its tag. */
export const MOST_PLAINTEXT = 65_519;
/** What a frame has besides the bytes it carries: length and tag. */
export const FRAME_OVERHEAD = 18;

/** The most bytes that one write below may carry: what the largest read gives (ADR 1). */
export const MOST_BATCH = 256 << 10;
/** For what a read of 1, 16, 64 or 256 KiB gives, sealed. */
const SIZES = [1 << 10, 16 << 10, 64 << 10, MOST_BATCH].map(sealedLength);

/** Bytes of buffers kept for later; beyond, they are left to the garbage collector. */
const MOST_SPARE = 2 << 20;

/** How many bytes so many bytes become in frames as large as can be. */
export function sealedLength(plaintext: number): number {
  return plaintext + FRAME_OVERHEAD * Math.ceil(plaintext / MOST_PLAINTEXT);
}

/** Buffers that come and go. */
export class SealedBuffers {
  readonly #spare: Uint8Array[][] = SIZES.map(() => []);
  #spareBytes = 0;

  /** Bytes kept at the moment. */
  get spareBytes(): number {
    return this.#spareBytes;
  }

  /** A buffer of at least `length` bytes, at most {@linkcode MOST_BATCH} sealed. */
  take(length: number): Uint8Array {
    const rung = SIZES.findIndex((size) => size >= length);
    const spare = this.#spare[rung]?.pop();
    if (spare === undefined) return new Uint8Array(SIZES[rung] ?? length);
    this.#spareBytes -= spare.length;
    return spare;
  }

  /** Takes a buffer back that nobody uses any more. One that may be in use is just left. */
  give(buffer: Uint8Array): void {
    const shelf = this.#spare[SIZES.indexOf(buffer.length)];
    if (shelf === undefined || this.#spareBytes + buffer.length > MOST_SPARE) return;
    this.#spareBytes += buffer.length;
    shelf.push(buffer);
  }
}
