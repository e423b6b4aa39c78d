/**
 * Read buffers that are small while a stream is idle and large while it moves bulk (ADR 1 has the
 * measurements behind every number here).
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Buffer sizes: a read that fills one moves a stream to the next. */
const SIZES = [1 << 10, 16 << 10, 64 << 10, 256 << 10] as const;
const TOP = SIZES.length - 1;

const NONE: Bytes = new Uint8Array(0);

/** Streams that may have a buffer of the largest size at once; others make do with the next. */
const MOST_TOP = 16;
/** Bytes of buffers kept for streams to come; beyond, they are left to the garbage collector. */
const MOST_SPARE = 8 << 20;
/** Of the smallest, so that many streams that end do not leave no room for the others. */
const MOST_SPARE_SMALL = 1 << 20;

/**
 * The rung of the smallest buffers that hold so many bytes, of those that there may be any number of;
 * -1 when none does.
 */
export function rungFor(bytes: number): number {
  const rung = SIZES.findIndex((size) => size >= bytes);
  return rung === TOP ? -1 : rung;
}

/** Large read buffers, shared by all streams of a server or client. */
export class BufferStore {
  readonly #spare: Bytes[][] = SIZES.map(() => []);
  #spareBytes = 0;
  #topLeft = MOST_TOP;

  /** A buffer of `SIZES[rung]` bytes; undefined when all of the largest are taken. */
  take(rung: number): Bytes | undefined {
    if (rung === TOP) {
      if (this.#topLeft === 0) return undefined;
      this.#topLeft--;
    }
    const spare = this.#spare[rung]?.pop();
    if (spare === undefined) return new Uint8Array(SIZES[rung] ?? 0);
    this.#spareBytes -= spare.length;
    return spare;
  }

  /** Takes a buffer back that nobody uses any more. */
  give(rung: number, buffer: Bytes): void {
    this.forget(rung);
    const shelf = this.#spare[rung];
    if (this.#spareBytes + buffer.length > MOST_SPARE) return;
    if (rung === 0 && (shelf?.length ?? 0) * buffer.length >= MOST_SPARE_SMALL) return;
    this.#spareBytes += buffer.length;
    shelf?.push(buffer);
  }

  /** Takes a buffer off the books that may still be in use: the collector will have it. */
  forget(rung: number): void {
    if (rung === TOP) this.#topLeft++;
  }
}

/** The read buffer of one stream. At most one read is under way in it. */
export class ReadBuffer {
  readonly #store: BufferStore;
  /** The stream's own while it lasts, of the smallest size. */
  #small: Bytes;
  #current: Bytes;
  #rung = 0;
  /** How much the last read gave; -1 when that says nothing about the stream. */
  #last = -1;
  #over = false;

  /** Starts small. */
  constructor(store: BufferStore) {
    this.#store = store;
    this.#current = this.#small = store.take(0) ?? NONE;
  }

  /** Where the next read goes; what was lent before is free again. */
  next(): Bytes {
    const full = this.#last === this.#current.length;
    if (full || this.#rung > 0) this.#resize(full);
    return this.#current;
  }

  /** Where a read of at most `max` bytes goes. It says nothing about the stream's pace. */
  nextAtMost(max: number): Bytes {
    this.#last = -1;
    return max < this.#current.length ? this.#current.subarray(0, max) : this.#current;
  }

  /** What a read into {@linkcode ReadBuffer.next} gave, to be lent. */
  filled(count: number): Bytes {
    this.#last = count;
    return count === this.#current.length ? this.#current : this.#current.subarray(0, count);
  }

  /** The stream has ended: nothing is lent, no read is under way, and none may follow. */
  release(): void {
    if (this.#over) return;
    this.#giveBack();
    this.#store.give(0, this.#small);
    this.#finish();
  }

  /** The stream was cut: a read may be under way here, and another's write of what was lent. */
  abandon(): void {
    if (this.#over) return;
    if (this.#rung > 0) this.#store.forget(this.#rung);
    this.#finish();
  }

  #resize(full: boolean): void {
    let rung = this.#rung;
    if (full) rung = Math.min(rung + 1, TOP);
    // To the smallest size that the last read would not have filled: any keener shrinking has
    // each reply of a few kilobytes read in two pieces.
    else while (rung > 0 && this.#last < (SIZES[rung - 1] ?? 0)) rung--;
    if (rung === this.#rung) return;
    const buffer = rung === 0 ? this.#small : this.#store.take(rung);
    if (buffer === undefined) return;
    this.#giveBack();
    this.#current = buffer;
    this.#rung = rung;
  }

  #giveBack(): void {
    if (this.#rung > 0) this.#store.give(this.#rung, this.#current);
  }

  #finish(): void {
    this.#over = true;
    this.#current = this.#small = NONE;
    this.#rung = 0;
    this.#last = -1;
  }
}
