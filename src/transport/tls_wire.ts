/**
 * A TCP socket of Deno's in the shape of a Node.js stream, for TLS to run over.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { free } from "../runtime/free.ts";
import { type BufferStore, ReadBuffer } from "../net/buffers.ts";

/** Bytes of TLS records that may wait to be sent; an honest engine stays far below. */
const MOST_QUEUED = 8 << 20;

/** Called when a write is over. */
type Done = (error?: Error | null) => void;

/**
 * The encrypted side of a connection. `node:tls` takes any Duplex and uses it in the flowing mode;
 * that part of the interface is implemented here directly, without the buffers and the ticks of
 * Node.js streams in between: half of what a small request would cost otherwise (ADR 7). A chunk
 * that is emitted is lent until the listener returns.
 */
export class Wire extends Duplex {
  readonly #socket: Deno.TcpConn;
  readonly #buffer: ReadBuffer;
  readonly #queue: { readonly bytes: Uint8Array; readonly done: Done | undefined }[] = [];
  #queued = 0;
  #sent = 0;
  #flowing = false;
  #reading = false;
  #ended = false;
  #closed = false;
  #finish: Done | undefined;
  #lost: unknown;
  #early: Uint8Array | undefined;

  /**
   * Takes over the socket: nobody else may use it from now on. What was read of it before, if
   * anything was, is emitted first.
   */
  constructor(socket: Deno.TcpConn, buffers: BufferStore, early?: Uint8Array) {
    super({ autoDestroy: false });
    this.#socket = socket;
    this.#early = early?.length ? early : undefined;
    this.#buffer = new ReadBuffer(buffers);
    // What went wrong is told through `lost`, also when nobody listens.
    this.on("error", () => {});
  }

  /** Whether the peer has closed its direction of the TCP connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the system said when the socket broke. */
  get lost(): unknown {
    return this.#lost;
  }

  /** Whether the socket is closed. */
  get gone(): boolean {
    return this.#closed;
  }

  /** Whether records wait to be sent. */
  get sending(): boolean {
    return this.#queue.length > 0;
  }

  /** See `Deno.TcpConn.setNoDelay`. */
  setNoDelay(enabled: boolean): void {
    if (!this.#closed) this.#socket.setNoDelay(enabled);
  }

  /** Starts to emit what is read. */
  override resume(): this {
    this.#flowing = true;
    if (!this.#reading && !this.#ended && !this.#closed) this.#read();
    return this;
  }

  /** Emits at most one chunk more. */
  override pause(): this {
    this.#flowing = false;
    return this;
  }

  /** Sends the bytes after those before them; they must not be changed until it is done. */
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | Done,
    callback?: Done,
  ): boolean {
    const done = typeof encoding === "function" ? encoding : callback;
    if (!(chunk instanceof Uint8Array)) throw new TypeError("only bytes can be sent");
    if (this.#closed) {
      queueMicrotask(() => done?.(new Error("the connection was closed")));
      return false;
    }
    this.#queued += chunk.length;
    if (this.#queued > MOST_QUEUED) {
      this.#onLost(new Error("too much to send"));
      return false;
    }
    if (this.#queue.push({ bytes: chunk, done }) === 1) this.#send(chunk);
    return true;
  }

  /** Closes this direction of the TCP connection after what was written. */
  override end(...args: unknown[]): this {
    const callback = args.at(-1);
    this.#finish = typeof callback === "function" ? (error) => callback(error) : () => {};
    if (this.#queue.length === 0) this.#closeWrite();
    return this;
  }

  /** Each write is sent at once: there is nothing to cork. */
  override cork(): void {}

  /** See {@linkcode Wire.cork}. */
  override uncork(): void {}

  /**
   * Called by the engine when it gives up, with the alert that says why still to be sent: the
   * socket is closed a turn later.
   */
  override _destroy(error: Error | null, callback: Done): void {
    setImmediate(() => this.close(error));
    callback(error);
  }

  /** Closes the socket now. Idempotent. */
  close(error?: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flowing = false;
    this.#socket.close();
    this.#buffer.abandon();
    const cause = error ?? new Error("the connection was closed");
    for (const { done } of this.#queue.splice(0)) done?.(cause);
    this.#finish?.(cause);
    this.destroy();
  }

  #read(): void {
    this.#reading = true;
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      return queueMicrotask(() => this.#onChunk(early));
    }
    this.#socket.read(this.#buffer.next()).then(this.#onRead, this.#onLost);
  }

  #onChunk(chunk: Uint8Array): void {
    this.#reading = false;
    if (this.#closed) return;
    this.emit("data", chunk);
    // A listener may have closed, paused, or already resumed this.
    if (this.#flowing && !this.#reading && !this.#closed) this.#read();
  }

  #send(bytes: Uint8Array): void {
    this.#socket.write(bytes).then(this.#onSent, this.#onLost);
  }

  #closeWrite(): void {
    const finish = this.#finish;
    if (finish === undefined || this.#closed) return;
    this.#finish = undefined;
    this.#socket.closeWrite().then(() => finish(), this.#onLost);
  }

  // Made once a connection, not once a chunk.
  readonly #onRead = (count: number | null): void => {
    if (this.#closed) return;
    if (count === null) {
      this.#reading = false;
      this.#ended = true;
      this.#buffer.release();
      this.emit("end");
      return;
    }
    this.#onChunk(this.#buffer.filled(count));
  };

  readonly #onSent = (count: number): void => {
    const first = this.#queue[0];
    if (first === undefined || this.#closed) return;
    this.#sent += count;
    if (this.#sent < first.bytes.length) return this.#send(first.bytes.subarray(this.#sent));
    this.#queued -= this.#sent;
    this.#sent = 0;
    this.#queue.shift();
    const next = this.#queue[0];
    if (next !== undefined) this.#send(next.bytes);
    else this.#closeWrite();
    free(first.bytes);
    first.done?.();
  };

  readonly #onLost = (cause: unknown): void => {
    if (this.#closed) return;
    this.#lost = cause;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.close(error);
    this.emit("error", error);
  };
}
