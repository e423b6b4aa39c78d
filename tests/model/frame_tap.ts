/**
 * A second opinion on what frames are on a carrier, made of nothing but their description.
 *
 * @module
 */

const HEADER = 8;
const DATA = 2;

/** What is found. */
export interface TapSink {
  /** So many bytes of a stream. */
  data(stream: number, bytes: number): void;
  /**
   * A whole frame of another type, and the first 4 bytes of its payload as a little-endian number.
   * Whether to stop after it.
   */
  control(type: number, stream: number, value: number): boolean;
}

/** Follows the frames of one direction, however they are cut. */
export class FrameTap {
  readonly #sink: TapSink;
  readonly #header = new Uint8Array(HEADER);
  #held = 0;
  #missing = 0;
  #type = 0;
  #stream = 0;
  #value = 0;
  #shift = 0;

  /** At the beginning of a direction. */
  constructor(sink: TapSink) {
    this.#sink = sink;
  }

  /** Whether a frame has begun and not ended. */
  get within(): boolean {
    return this.#held > 0;
  }

  /** Takes what comes next; returns how much of it, which is all unless it is to stop. */
  feed(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#held < HEADER) {
        this.#header[this.#held++] = chunk[at++] ?? 0;
        if (this.#held === HEADER) this.#begin();
      } else {
        at = this.#body(chunk, at);
      }
      if (this.#held === HEADER && this.#missing === 0 && this.#finish()) return at;
    }
    return at;
  }

  #begin(): void {
    this.#stream = (this.#at(0) | this.#at(1) << 8 | this.#at(2) << 16 | this.#at(3) << 24) >>> 0;
    this.#type = this.#at(4);
    this.#missing = this.#at(5) | this.#at(6) << 8 | this.#at(7) << 16;
    this.#value = this.#shift = 0;
  }

  #at(index: number): number {
    return this.#header[index] ?? 0;
  }

  #body(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#missing -= end - at;
    if (this.#type === DATA) {
      this.#sink.data(this.#stream, end - at);
      return end;
    }
    for (let i = at; i < end && this.#shift < 32; i++, this.#shift += 8) {
      this.#value = (this.#value | (chunk[i] ?? 0) << this.#shift) >>> 0;
    }
    return end;
  }

  #finish(): boolean {
    this.#held = 0;
    return this.#type !== DATA && this.#sink.control(this.#type, this.#stream, this.#value);
  }
}
