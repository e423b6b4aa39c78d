/** When a stream's read buffer grows and when its memory is given back: the policies on trial. */

export interface Policy {
  /** Buffer sizes, small to large; a read that fills one is followed by a read into the next. */
  readonly sizes: readonly number[];
  /**
   * After a read that did not fill its buffer. keep: stay. half: back to the first size if it was
   * below half, partial: in any case. fit: the smallest size that would have held more than it.
   * step: one size down, if that one would have.
   */
  readonly shrink: "keep" | "half" | "partial" | "fit" | "step";
  /** Bytes of buffers nobody uses now that the process keeps for the next stream. */
  readonly spare: number;
  /** How many buffers of the largest size the process hands out; others get the size below. */
  readonly largest: number;
}

/** What all streams of a process share. Bounded, because V8 rarely collects in an idle process. */
export class Buffers {
  readonly policy: Policy;
  #spare: Uint8Array<ArrayBuffer>[][];
  #spareBytes = 0;
  #largestLeft: number;

  constructor(policy: Policy) {
    this.policy = policy;
    this.#spare = policy.sizes.map(() => []);
    this.#largestLeft = policy.largest;
  }

  /** Undefined if all the largest are taken. */
  take(rung: number): Uint8Array<ArrayBuffer> | undefined {
    const { sizes } = this.policy;
    if (rung === sizes.length - 1 && this.#largestLeft-- <= 0) {
      this.#largestLeft = 0;
      return undefined;
    }
    const size = sizes[rung] ?? 0;
    const found = this.#spare[rung]?.pop();
    if (found === undefined) return new Uint8Array(size);
    this.#spareBytes -= size;
    return found;
  }

  give(rung: number, buffer: Uint8Array<ArrayBuffer>): void {
    if (rung === this.policy.sizes.length - 1) this.#largestLeft++;
    if (this.#spareBytes + buffer.length > this.policy.spare) return;
    this.#spareBytes += buffer.length;
    this.#spare[rung]?.push(buffer);
  }
}

/** The read buffer of one direction of one stream. */
export class ReadBuffer {
  #buffers: Buffers;
  #small: Uint8Array<ArrayBuffer>;
  #current: Uint8Array<ArrayBuffer>;
  #rung = 0;
  #last = -1;

  constructor(buffers: Buffers) {
    this.#buffers = buffers;
    this.#small = this.#current = new Uint8Array(buffers.policy.sizes[0] ?? 1024);
  }

  /** Lends what the read that just ended gave; the next `next` decides on its length. */
  filled(n: number): Uint8Array {
    this.#last = n;
    return n === this.#current.length ? this.#current : this.#current.subarray(0, n);
  }

  /** The buffer for the next read; what was lent before is free again. */
  next(): Uint8Array<ArrayBuffer> {
    const full = this.#last === this.#current.length;
    if (full || this.#rung > 0) this.#resize(full);
    return this.#current;
  }

  #resize(full: boolean): void {
    const { sizes, shrink } = this.#buffers.policy;
    const n = this.#last;
    let rung = this.#rung;
    if (full) rung = Math.min(rung + 1, sizes.length - 1);
    else if (shrink === "partial" || shrink === "half" && n * 2 < this.#current.length) rung = 0;
    else if (shrink === "fit") { while (rung > 0 && n < (sizes[rung - 1] ?? 0)) rung--; }
    else if (shrink === "step" && n < (sizes[rung - 1] ?? 0)) rung--;
    if (rung === this.#rung) return;
    const buffer = rung === 0 ? this.#small : this.#buffers.take(rung);
    if (buffer === undefined) return;
    this.release();
    this.#current = buffer;
    this.#rung = rung;
  }

  release(): void {
    if (this.#rung > 0) this.#buffers.give(this.#rung, this.#current);
    this.#current = this.#small;
    this.#rung = 0;
  }
}
