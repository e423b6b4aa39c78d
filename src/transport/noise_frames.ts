/**
 * From the bytes that a connection lends to the stream inside: frames found, put together where
 * they arrived in pieces, and opened.
 *
 * @module
 */

import type { CipherState } from "../noise/cipher_state.ts";
import { TAG_BYTES } from "../noise/primitives.ts";
import { RatholeError } from "../runtime/errors.ts";
import { free } from "../runtime/free.ts";
import { LENGTH_BYTES, type SealedBuffers } from "./noise_buffers.ts";

const NOTHING = new Uint8Array(0);

/** Frames are opened together, for one write at the other side, up to so many bytes and frames. */
const MOST_JOINED = 64 << 10;
const MOST_FRAMES = 64;
/** Messages without a byte of the stream, which no end needs to send, taken in a row. */
const MOST_EMPTY = 64;

/** Opens the frames of one direction. Once it has thrown, it is over. */
export class FrameOpener {
  readonly #receive: CipherState;
  readonly #buffers: SealedBuffers;
  /** Lent by the connection below, and used up to `#at`. */
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a frame whose rest is to come. */
  #held: Uint8Array = NOTHING;
  #filled = 0;
  /** What was lent, where it came in one frame. */
  #single: Uint8Array | undefined;
  /** What was lent, where it came in several. */
  #joined: Uint8Array | undefined;
  #empty = 0;

  /** Takes the key of the other end's messages. */
  constructor(receive: CipherState, buffers: SealedBuffers) {
    this.#receive = receive;
    this.#buffers = buffers;
  }

  /** Takes what the connection below lends. All that came before must have been used. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next bytes of the stream, lent until the next call; undefined when no frame is complete.
   *
   * @throws {RatholeError} `untrusted` for a message that was changed, `protocol` for one that
   * cannot be, or for nothing but empty ones.
   */
  next(): Uint8Array | undefined {
    this.#takeBack();
    let first = this.#openNext();
    while (first?.length === 0) first = this.#openNext();
    if (first === undefined || !this.#isComplete()) return this.#single = first;
    const parts = [first];
    let total = first.length;
    while (parts.length < MOST_FRAMES && total < MOST_JOINED && this.#isComplete()) {
      const part = this.#openNext();
      if (part === undefined) break;
      parts.push(part);
      total += part.length;
    }
    return this.#join(parts, total);
  }

  /** The connection below has ended: the error that this is when a frame is incomplete. */
  end(): RatholeError | undefined {
    const held = this.#filled;
    this.#release();
    if (held === 0) return undefined;
    return new RatholeError(
      "closed",
      `the peer closed the connection within a noise message, after ${held} bytes of it`,
    );
  }

  /** Drops everything; what was lent may still be in use by others. */
  abandon(): void {
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#held = NOTHING;
    this.#filled = 0;
    this.#single = this.#joined = undefined;
  }

  #takeBack(): void {
    if (this.#joined !== undefined) this.#buffers.give(this.#joined);
    if (this.#single !== undefined) free(this.#single);
    this.#single = this.#joined = undefined;
  }

  #openNext(): Uint8Array | undefined {
    const left = this.#chunk.length - this.#at;
    if (this.#filled > 0 || left < LENGTH_BYTES) return this.#openHeld();
    const length = messageLength(this.#chunk, this.#at);
    if (left < LENGTH_BYTES + length) return this.#openHeld();
    const from = this.#at + LENGTH_BYTES;
    this.#at = from + length;
    return this.#open(this.#chunk.subarray(from, this.#at));
  }

  /** Moves bytes to the frame that is held until it is complete. */
  #openHeld(): Uint8Array | undefined {
    if (!this.#hold(LENGTH_BYTES)) return undefined;
    const length = messageLength(this.#held, 0);
    if (!this.#hold(LENGTH_BYTES + length)) return undefined;
    const opened = this.#open(this.#held.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    this.#release();
    return opened;
  }

  /** Whether so many bytes of a frame are held, after taking what there is of them. */
  #hold(wanted: number): boolean {
    const part = this.#chunk.subarray(this.#at, this.#at + Math.max(0, wanted - this.#filled));
    if (part.length > 0) {
      this.#reserve(this.#filled + part.length);
      this.#held.set(part, this.#filled);
      this.#filled += part.length;
      this.#at += part.length;
    }
    return this.#filled >= wanted;
  }

  /** As much as has arrived, not as the other end has announced. */
  #reserve(length: number): void {
    if (this.#held.length >= length) return;
    const larger = this.#buffers.take(length);
    larger.set(this.#held.subarray(0, this.#filled));
    if (this.#held.length > 0) this.#buffers.give(this.#held);
    this.#held = larger;
  }

  #join(parts: readonly Uint8Array[], total: number): Uint8Array {
    const whole = this.#joined = this.#buffers.take(total);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
      free(part);
    }
    return whole.subarray(0, total);
  }

  #release(): void {
    if (this.#held.length > 0) this.#buffers.give(this.#held);
    this.#held = NOTHING;
    this.#filled = 0;
  }

  #open(message: Uint8Array): Uint8Array {
    const opened = this.#receive.open(message);
    this.#empty = opened.length === 0 ? this.#empty + 1 : 0;
    if (this.#empty <= MOST_EMPTY) return opened;
    throw new RatholeError("protocol", "the peer sends nothing but empty noise messages");
  }

  /** Whether the rest of the chunk begins with a whole frame. */
  #isComplete(): boolean {
    const left = this.#chunk.length - this.#at - LENGTH_BYTES;
    return left >= TAG_BYTES && left >= messageLength(this.#chunk, this.#at);
  }
}

function messageLength(bytes: Uint8Array, at: number): number {
  const length = (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8;
  if (length >= TAG_BYTES) return length;
  throw new RatholeError(
    "protocol",
    `the peer announced a noise message of ${length} bytes, too short to be one`,
  );
}
