/**
 * A connection over Deno's own TLS.
 *
 * @module
 */

import { type BufferStore, ReadBuffer } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { clientLostError } from "./tls_errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NOTHING = new Uint8Array(0);

/**
 * A {@linkcode Connection} over a `Deno.TlsConn` whose handshake is over. Unlike a plain socket's,
 * its pending calls may go on for several turns after it was closed: so what a caller waits for is
 * a promise of this class, which an abort settles itself.
 */
export class DenoTlsConnection implements Connection {
  readonly peer: Address;
  readonly #socket: Deno.TlsConn;
  readonly #buffer: ReadBuffer;
  readonly #onClose: () => void;
  #writing: Uint8Array = NOTHING;
  #reader: PromiseWithResolvers<Bytes | null> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  /** Whether the peer has ended its direction. */
  #ended = false;
  #aborted: { readonly reason: unknown } | undefined;

  /** Takes over the socket: nobody else may use it from now on. `onClose` is called once. */
  constructor(socket: Deno.TlsConn, peer: Address, buffers: BufferStore, onClose: () => void) {
    this.#socket = socket;
    this.#onClose = onClose;
    this.#buffer = new ReadBuffer(buffers);
    this.peer = peer;
  }

  /** See {@linkcode Connection.read}. */
  read(max?: number): Promise<Uint8Array | null> {
    if (this.#aborted !== undefined) return Promise.reject(this.#aborted.reason);
    if (this.#ended) return Promise.resolve(null);
    const reader = this.#reader = Promise.withResolvers<Bytes | null>();
    const buffer = max === undefined ? this.#buffer.next() : this.#buffer.nextAtMost(max);
    this.#socket.read(buffer).then(this.#onRead, this.#onReadLost);
    return reader.promise;
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#aborted !== undefined) return Promise.reject(this.#aborted.reason);
    const writer = this.#writer = Promise.withResolvers<void>();
    this.#send(bytes);
    return writer.promise;
  }

  /** See {@linkcode Connection.closeWrite}. Sends close_notify (RFC 8446, 6.1), then a FIN. */
  closeWrite(): Promise<void> {
    if (this.#aborted !== undefined) return Promise.reject(this.#aborted.reason);
    const writer = this.#writer = Promise.withResolvers<void>();
    this.#socket.closeWrite().then(this.#onSent, this.#onWriteLost);
    return writer.promise;
  }

  /** Has no effect: the socket below is out of reach, and was set up before. */
  setNoDelay(_enabled: boolean): void {}

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    if (this.#aborted !== undefined) return;
    const given = reason ?? new RatholeError("aborted", "the connection was ended by this side");
    this.#aborted = { reason: given };
    this.#socket.close();
    this.#onClose();
    this.#buffer.abandon();
    this.#reader?.reject(given);
    this.#writer?.reject(given);
    this.#reader = this.#writer = undefined;
  }

  /** Same as {@linkcode DenoTlsConnection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  #send(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#socket.write(bytes).then(this.#onWritten, this.#onWriteLost);
  }

  // Made once a connection, not once a chunk.
  readonly #onRead = (count: number | null): void => {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    if (count !== null) return reader.resolve(this.#buffer.filled(count));
    this.#ended = true;
    this.#buffer.release();
    reader.resolve(null);
  };

  readonly #onWritten = (count: number): void => {
    const bytes = this.#writing;
    // Does not keep the other side's buffer alive.
    this.#writing = NOTHING;
    if (count < bytes.length && this.#aborted === undefined) this.#send(bytes.subarray(count));
    else this.#onSent();
  };

  readonly #onSent = (): void => {
    this.#writer?.resolve();
    this.#writer = undefined;
  };

  readonly #onReadLost = (cause: unknown): void => {
    this.#reader?.reject(clientLostError(cause));
    this.#reader = undefined;
  };

  readonly #onWriteLost = (cause: unknown): void => {
    this.#writer?.reject(clientLostError(cause));
    this.#writer = undefined;
  };
}
