/**
 * What follows a noise handshake: a stream cut into sealed frames.
 *
 * A frame is `u16` length, little-endian, then a Noise message of so many bytes: up to 65,519 bytes
 * of the stream, sealed, and the tag of 16. The stream ends as the connection below does.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { CipherState } from "../noise/cipher_state.ts";
import type { Transport } from "../noise/handshake_state.ts";
import type { Address } from "../runtime/address.ts";
import {
  FRAME_OVERHEAD,
  LENGTH_BYTES,
  MOST_BATCH,
  MOST_PLAINTEXT,
  type SealedBuffers,
} from "./noise_buffers.ts";
import { FrameOpener } from "./noise_frames.ts";

const NOTHING = new Uint8Array(0);

/** A {@linkcode Connection} whose bytes are sealed on the one below, which it takes over. */
export class NoiseConnection implements Connection {
  readonly peer: Address;
  readonly #below: Connection;
  readonly #buffers: SealedBuffers;
  readonly #send: CipherState;
  readonly #opener: FrameOpener;
  /** Opened, and not yet lent. */
  #opened: Uint8Array = NOTHING;
  #max = Infinity;
  /** Still to be sealed of what is being written. */
  #unsealed: Uint8Array = NOTHING;
  #sealed: Uint8Array | undefined;

  /** Takes the keys of a handshake that is over. */
  constructor(below: Connection, { send, receive }: Transport, buffers: SealedBuffers) {
    this.peer = below.peer;
    this.#below = below;
    this.#buffers = buffers;
    this.#send = send;
    this.#opener = new FrameOpener(receive, buffers);
  }

  /** See {@linkcode Connection.read}. */
  read(max = Infinity): Promise<Uint8Array | null> {
    if (this.#opened.length > 0) return Promise.resolve(this.#lend(max));
    this.#max = max;
    return this.#advance();
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    // A message without a byte would be the end of the stream to rathole 0.5.0.
    if (bytes.length === 0) return this.#below.write(bytes);
    this.#unsealed = bytes;
    return this.#writeBatch();
  }

  /** See {@linkcode Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#below.closeWrite();
  }

  /** See {@linkcode Connection.setNoDelay}. */
  setNoDelay(enabled: boolean): void {
    this.#below.setNoDelay(enabled);
  }

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    this.#below.abort(reason);
    this.#opener.abandon();
    this.#opened = NOTHING;
    this.#unsealed = NOTHING;
    // A write of it may still be under way.
    this.#sealed = undefined;
  }

  /** Same as {@linkcode NoiseConnection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** Opens what has arrived, or waits for more. */
  #advance(): Promise<Uint8Array | null> {
    try {
      const opened = this.#opener.next();
      if (opened === undefined) return this.#below.read().then(this.#onChunk);
      this.#opened = opened;
    } catch (error) {
      return this.#fail(error);
    }
    return Promise.resolve(this.#lend(this.#max));
  }

  #lend(max: number): Uint8Array {
    const opened = this.#opened;
    if (opened.length <= max) {
      this.#opened = NOTHING;
      return opened;
    }
    this.#opened = opened.subarray(max);
    return opened.subarray(0, max);
  }

  #writeBatch(): Promise<void> {
    const batch = this.#unsealed.subarray(0, MOST_BATCH);
    this.#unsealed = this.#unsealed.subarray(batch.length);
    try {
      return this.#below.write(this.#seal(batch)).then(this.#onWritten);
    } catch (error) {
      return this.#fail(error);
    }
  }

  #seal(batch: Uint8Array): Uint8Array {
    const frames = Math.ceil(batch.length / MOST_PLAINTEXT);
    const length = batch.length + frames * FRAME_OVERHEAD;
    const sealed = this.#buffers.take(length);
    this.#sealed = sealed;
    for (let from = 0, at = 0; from < batch.length; from += MOST_PLAINTEXT) {
      const part = frames === 1 ? batch : batch.subarray(from, from + MOST_PLAINTEXT);
      const message = part.length + FRAME_OVERHEAD - LENGTH_BYTES;
      sealed[at] = message & 0xff;
      sealed[at + 1] = message >> 8;
      this.#send.seal(part, sealed, at + LENGTH_BYTES);
      at += LENGTH_BYTES + message;
    }
    return sealed.subarray(0, length);
  }

  /** Ends both directions, for good. */
  #fail(error: unknown): Promise<never> {
    this.abort(error);
    return Promise.reject(error);
  }

  // Made once a connection, not once a chunk.
  readonly #onChunk = (chunk: Uint8Array | null): Promise<Uint8Array | null> | null => {
    if (chunk !== null) {
      this.#opener.feed(chunk);
      return this.#advance();
    }
    const cut = this.#opener.end();
    return cut === undefined ? null : this.#fail(cut);
  };

  readonly #onWritten = (): void | Promise<void> => {
    if (this.#sealed !== undefined) this.#buffers.give(this.#sealed);
    this.#sealed = undefined;
    if (this.#unsealed.length > 0) return this.#writeBatch();
  };
}
