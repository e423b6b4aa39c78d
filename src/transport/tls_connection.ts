/**
 * A connection over the TLS of `node:tls`.
 *
 * @module
 */

import type { TLSSocket } from "node:tls";
import type { Connection } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { free } from "../runtime/free.ts";
import { truncatedError } from "./tls_errors.ts";
import type { Wire } from "./tls_wire.ts";

/** Decrypted bytes that may wait for a reader before the socket is no longer read. */
const ENOUGH = 64 << 10;
const WRITTEN = Promise.resolve();

/** Says what it means that a connection was lost, before or after anything was received on it. */
export type Explain = (cause: unknown, received: boolean) => RatholeError;

/**
 * A {@linkcode Connection} over a socket of `node:tls` whose handshake is over.
 *
 * Decrypted bytes are taken where the engine hands them to the stream (`push`), and not by events:
 * that is where the end of the TLS stream (close_notify) can be told from the end of the TCP stream
 * below. At most one TCP read's worth of bytes is held beyond {@linkcode ENOUGH}.
 */
export class TlsConnection implements Connection {
  readonly peer: Address;
  readonly #socket: TLSSocket;
  readonly #wire: Wire;
  readonly #explain: Explain;
  #received = false;
  readonly #queue: Uint8Array[] = [];
  /** What the last read has used up. */
  #lent: Uint8Array | undefined;
  #queued = 0;
  #stopped = false;
  #end: "open" | "ended" | "truncated" = "open";
  #reader: { max: number | undefined; settle: PromiseWithResolvers<Uint8Array | null> } | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  #finishing: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Takes over the socket and the wire below it. */
  constructor(socket: TLSSocket, wire: Wire, peer: Address, explain: Explain) {
    this.#socket = socket;
    this.#wire = wire;
    this.#explain = explain;
    this.peer = peer;
    socket.push = (chunk: unknown) => this.#take(chunk);
    socket.on("error", this.#onLost);
    socket.on("close", () => this.#onLost(undefined));
    socket.resume();
  }

  /** See {@linkcode Connection.read}. */
  read(max?: number): Promise<Uint8Array | null> {
    if (this.#lent !== undefined) free(this.#lent);
    this.#lent = undefined;
    if (this.#queue.length > 0 && !(this.#failure?.error instanceof Abortion)) {
      return Promise.resolve(this.#next(max));
    }
    if (this.#failure !== undefined) return Promise.reject(reasonOf(this.#failure.error));
    if (this.#end === "ended") return Promise.resolve(null);
    this.#reader = { max, settle: Promise.withResolvers() };
    return this.#reader.settle.promise;
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(reasonOf(this.#failure.error));
    if (this.#closing !== undefined) return Promise.reject(ended());
    // The engine never says that it has sent nothing.
    if (bytes.length === 0) return WRITTEN;
    const writer = this.#writer = Promise.withResolvers<void>();
    this.#socket.write(bytes, this.#onWritten);
    return writer.promise;
  }

  /** See {@linkcode Connection.closeWrite}. Sends close_notify (RFC 8446, 6.1), then a FIN. */
  closeWrite(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(reasonOf(this.#failure.error));
    // To the engine a second end is an error, and the end of the other direction too.
    if (this.#closing !== undefined) return this.#closing;
    const finishing = this.#finishing = Promise.withResolvers<void>();
    this.#closing = finishing.promise;
    this.#socket.end(this.#onFinished);
    return finishing.promise;
  }

  /** See {@linkcode Connection.setNoDelay}. */
  setNoDelay(enabled: boolean): void {
    this.#wire.setNoDelay(enabled);
  }

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    const aborted = reason ?? new RatholeError("aborted", "the connection was ended by this side");
    if (this.#failure?.error instanceof Abortion) return;
    const idle = this.#failure === undefined && !this.#wire.sending && !this.#wire.gone;
    this.#queue.length = 0;
    this.#lent = undefined;
    this.#fail(new Abortion(aborted), true);
    if (!idle) return this.#drop();
    // What was written is complete: say so, as plain TCP would with its FIN. The alert is in the
    // kernel a turn later; a peer that takes nothing is not waited for.
    this.#socket.end();
    setImmediate(() => this.#drop());
  }

  /** Same as {@linkcode TlsConnection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  #drop(): void {
    this.#wire.close();
    this.#socket.destroy();
  }

  /**
   * Takes decrypted bytes, or null for the end. The engine itself does not pass on that it is to
   * stop (the answer `false`), so it is its source that is stopped.
   */
  #take(chunk: unknown): boolean {
    if (chunk instanceof Uint8Array) {
      if (this.#failure !== undefined || this.#end !== "open" || chunk.length === 0) return true;
      this.#received = true;
      // Not a Buffer, whose `slice` does not copy.
      this.#queue.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      this.#queued += chunk.length;
      this.#serve();
      if (this.#queued >= ENOUGH && !this.#stopped) {
        this.#stopped = true;
        this.#wire.pause();
      }
      return true;
    }
    if (this.#end !== "open" || this.#failure !== undefined) return true;
    if (this.#wire.ended) {
      this.#end = "truncated";
      this.#fail(this.#explain(truncatedError(), this.#received));
    } else {
      this.#end = "ended";
      this.#reader?.settle.resolve(null);
      this.#reader = undefined;
    }
    return true;
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    reader.settle.resolve(this.#next(reader.max));
  }

  /** The next bytes of a queue that is not empty. */
  #next(max = Infinity): Uint8Array | null {
    const first = this.#queue[0];
    if (first === undefined) return null;
    let bytes = first;
    if (first.length > max) {
      bytes = first.subarray(0, max);
      this.#queue[0] = first.subarray(max);
    } else {
      this.#queue.shift();
      this.#lent = first;
    }
    this.#queued -= bytes.length;
    if (this.#stopped && this.#queue.length === 0) {
      this.#stopped = false;
      this.#wire.resume();
    }
    return bytes;
  }

  /** Ends all that waits; what was decrypted before may still be read, except after an abort. */
  #fail(error: unknown, override = false): void {
    if (this.#failure !== undefined && !override) return;
    this.#failure = { error };
    const reason = reasonOf(error);
    this.#reader?.settle.reject(reason);
    this.#writer?.reject(reason);
    this.#finishing?.reject(reason);
    this.#reader = this.#writer = this.#finishing = undefined;
  }

  // Made once a connection, not once a chunk.
  readonly #onWritten = (error?: Error | null): void => {
    if (error) return this.#onLost(error);
    this.#writer?.resolve();
    this.#writer = undefined;
  };

  readonly #onFinished = (error?: Error | null): void => {
    if (error) return this.#onLost(error);
    this.#finishing?.resolve();
    this.#finishing = undefined;
  };

  /** The socket broke, or closed because both directions have ended. */
  readonly #onLost = (error: unknown): void => {
    if (error === undefined && this.#end === "ended" && this.#wire.lost === undefined) return;
    this.#fail(this.#explain(this.#wire.lost ?? error ?? truncatedError(), this.#received));
    this.#drop();
  };
}

/** Marks that it was this side which ended the connection, whatever the reason. */
class Abortion {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

function reasonOf(error: unknown): unknown {
  return error instanceof Abortion ? error.reason : error;
}

function ended(): RatholeError {
  return new RatholeError("closed", "this side has ended its direction of the connection");
}
