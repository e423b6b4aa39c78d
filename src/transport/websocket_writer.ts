/**
 * The writing direction of a WebSocket connection.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { HEADER_ROOM, OPCODE, type Opcode, writeFrameHeader } from "../websocket/frame.ts";
import { applyMask, type MaskKeys } from "../websocket/mask.ts";

/** A write of more bytes becomes several messages: rathole 0.5.0 collects each before using it. */
const MOST_PAYLOAD = 256 << 10;
/** Sizes of buffers, as the store has them; multiples of 4, so that masks stay in step. */
const SIZES = [1 << 10, 16 << 10, 64 << 10] as const;
/** What goes out in one write whatever buffers there are. */
const SHORT = SIZES[2] - HEADER_ROOM;
/** More unmasked bytes than these are written from where they are, all but the first of them. */
const MOST_COPIED = 32 << 10;
/** What goes along with the header then, which by itself would be a packet. */
const FIRST = (1 << 10) - HEADER_ROOM;

/**
 * Writes frames, one write at a time on the connection below. A buffer is held only while a write
 * is under way. Of the Pongs that are owed only the last is kept (RFC 6455, section 5.5.3); it goes
 * out between two other writes.
 */
export class FrameWriter {
  readonly #below: Connection;
  readonly #buffers: BufferStore;
  readonly #keys: MaskKeys | null;
  /** The owner writes, or waits to. */
  #writing = false;
  /** A Pong is being written. Never rejects. */
  #ponging: Promise<void> | undefined;
  #pong: Uint8Array | undefined;
  #closed = false;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #rung = 0;

  /** With keys it masks, as a client must and a server must not. */
  constructor(below: Connection, buffers: BufferStore, keys: MaskKeys | null) {
    this.#below = below;
    this.#buffers = buffers;
    this.#keys = keys;
  }

  /** Writes all of the bytes, of which there is at least one. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = true;
    if (this.#ponging !== undefined) return this.#ponging.then(() => this.write(bytes));
    const { length } = bytes;
    if (length > (this.#keys === null ? MOST_COPIED : SHORT)) return this.#writeLong(bytes);
    const frame = this.#begin(bytes, length, this.#nextKey());
    return this.#below.write(frame).then(this.#onWritten, this.#onFailed);
  }

  /** Writes a Close frame, the last of all; once. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#pong = undefined;
    const write = () => this.#below.write(this.#control(OPCODE.close));
    return this.#ponging === undefined ? write() : this.#ponging.then(write);
  }

  /** Answers a Ping as soon as may be. The payload, at most 125 bytes, is copied. */
  pong(payload: Uint8Array): void {
    if (this.#closed) return;
    this.#pong = payload.slice();
    this.#sendPong();
  }

  #sendPong(): void {
    const payload = this.#pong;
    if (payload === undefined || this.#writing || this.#ponging !== undefined) return;
    this.#pong = undefined;
    const sent = () => {
      this.#ponging = undefined;
      this.#sendPong();
    };
    // Where it fails, the owner's next read or write fails by itself.
    this.#ponging = this.#below.write(this.#control(OPCODE.pong, payload)).then(sent, sent);
  }

  async #writeLong(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; at += MOST_PAYLOAD) {
        await this.#writeMessage(bytes.subarray(at, at + MOST_PAYLOAD));
      }
    } catch (error) {
      this.#onFailed(error);
    }
    this.#onWritten();
  }

  async #writeMessage(bytes: Uint8Array): Promise<void> {
    const key = this.#nextKey();
    const { length } = bytes;
    if (key === null) {
      const first = Math.min(length, FIRST);
      await this.#below.write(this.#begin(bytes, first, key));
      this.#giveBack();
      if (first < length) await this.#below.write(bytes.subarray(first));
      return;
    }
    const buffer = this.#takeBuffer(HEADER_ROOM + length);
    let at = Math.min(length, buffer.length - HEADER_ROOM);
    await this.#below.write(this.#fill(buffer, bytes, at, key));
    while (at < length) {
      const piece = bytes.subarray(at, at + buffer.length);
      buffer.set(piece);
      applyMask(buffer, 0, piece.length, key);
      await this.#below.write(buffer.subarray(0, piece.length));
      at += piece.length;
    }
    this.#giveBack();
  }

  /** The header of a message and its first bytes, in a buffer that they fit in. */
  #begin(message: Uint8Array, count: number, key: number | null): Uint8Array {
    return this.#fill(this.#takeBuffer(HEADER_ROOM + count), message, count, key);
  }

  #fill(
    buffer: Uint8Array,
    message: Uint8Array,
    count: number,
    key: number | null,
  ): Uint8Array {
    const end = HEADER_ROOM + count;
    buffer.set(count === message.length ? message : message.subarray(0, count), HEADER_ROOM);
    if (key !== null) applyMask(buffer, HEADER_ROOM, end, key);
    const start = writeFrameHeader(buffer, HEADER_ROOM, OPCODE.binary, message.length, key);
    return buffer.subarray(start, end);
  }

  /** A buffer of at least `size` bytes, or of what there is. */
  #takeBuffer(size: number): Uint8Array<ArrayBuffer> {
    let rung = size <= SIZES[0] ? 0 : size <= SIZES[1] ? 1 : size <= SIZES[2] ? 2 : 3;
    let buffer = this.#buffers.take(rung);
    // Only of the largest there may be none.
    if (buffer === undefined) buffer = this.#buffers.take(--rung) ?? new Uint8Array(SIZES[2]);
    this.#rung = rung;
    this.#buffer = buffer;
    return buffer;
  }

  #control(opcode: Opcode, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
    const frame = new Uint8Array(HEADER_ROOM + payload.length);
    const key = this.#nextKey();
    frame.set(payload, HEADER_ROOM);
    if (key !== null) applyMask(frame, HEADER_ROOM, frame.length, key);
    return frame.subarray(writeFrameHeader(frame, HEADER_ROOM, opcode, payload.length, key));
  }

  #nextKey(): number | null {
    return this.#keys === null ? null : this.#keys.next();
  }

  #giveBack(): void {
    if (this.#buffer !== undefined) this.#buffers.give(this.#rung, this.#buffer);
    this.#buffer = undefined;
  }

  // Made once a connection, not once a write.
  readonly #onWritten = (): void => {
    this.#giveBack();
    this.#writing = false;
    if (this.#pong !== undefined) this.#sendPong();
  };

  readonly #onFailed = (error: unknown): never => {
    // The system may still be reading from it: the garbage collector will have it.
    if (this.#buffer !== undefined) this.#buffers.forget(this.#rung);
    this.#buffer = undefined;
    this.#writing = false;
    throw error;
  };
}
