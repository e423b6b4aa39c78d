/**
 * TCP by way of `Deno.listen` and `Deno.connect`; why them is told in ADR 1.
 *
 * @module
 */

import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { type BufferStore, ReadBuffer } from "./buffers.ts";
import type { Connection } from "./connection.ts";
import { bindError, connectError, lostError } from "./system_errors.ts";

/** How a socket is set up. */
export interface SocketOptions {
  /** Whether small writes go out at once. */
  readonly nodelay: boolean;
  /** Whether the kernel probes an idle peer, in its own rhythm. */
  readonly keepalive: boolean;
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
}

const NOTHING = new Uint8Array(0);
const END: Promise<null> = Promise.resolve(null);
const DONE: Promise<void> = Promise.resolve();

/** Sets a fresh socket up. */
export function prepareSocket(
  socket: Deno.TcpConn,
  { nodelay, keepalive }: Omit<SocketOptions, "buffers">,
): void {
  try {
    // Neither is on by itself.
    if (nodelay) socket.setNoDelay(true);
    if (keepalive) socket.setKeepAlive(true);
  } catch {
    // macOS says so when the peer has gone already: the first read will tell.
  }
}

/** A {@linkcode Connection} over a TCP socket. */
export class TcpConnection implements Connection {
  readonly peer: Address;
  readonly #socket: Deno.TcpConn;
  readonly #buffer: ReadBuffer;
  #writing: Uint8Array = NOTHING;
  #nodelay: boolean;
  /** Whether the peer has ended its direction. */
  #ended = false;
  /** Whether the socket is closed. */
  #closed = false;
  #aborted = false;
  #reason: unknown;

  /** Takes over the socket, which was set up: nobody else may use it from now on. */
  constructor(socket: Deno.TcpConn, options: Omit<SocketOptions, "keepalive">) {
    this.#socket = socket;
    this.#nodelay = options.nodelay;
    this.#buffer = new ReadBuffer(options.buffers);
    this.peer = plainAddress(socket.remoteAddr);
  }

  /** See {@linkcode Connection.read}. */
  read(max?: number): Promise<Uint8Array | null> {
    if (this.#ended && !this.#aborted) return END;
    const buffer = max === undefined ? this.#buffer.next() : this.#buffer.nextAtMost(max);
    return this.#socket.read(buffer).then(this.#onRead, this.#onError);
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = bytes;
    return this.#socket.write(bytes).then(this.#onWritten, this.#onError);
  }

  /** See {@linkcode Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    if (!this.#ended || this.#closed || this.#writing !== NOTHING) {
      return this.#socket.closeWrite().catch(this.#onError);
    }
    // Both directions have ended: closing sends the same FIN, and spares an operation a stream.
    this.#close();
    return DONE;
  }

  /** See {@linkcode Connection.setNoDelay}. */
  setNoDelay(enabled: boolean): void {
    if (this.#closed || enabled === this.#nodelay) return;
    this.#nodelay = enabled;
    this.#socket.setNoDelay(enabled);
  }

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#close();
    this.#buffer.abandon();
  }

  /** Same as {@linkcode TcpConnection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  // Made once a connection, not once a chunk.
  readonly #onRead = (count: number | null): Uint8Array | null => {
    if (this.#aborted) throw this.#abortion();
    if (count !== null) return this.#buffer.filled(count);
    this.#ended = true;
    this.#buffer.release();
    return null;
  };

  readonly #onWritten = (count: number): void | Promise<void> => {
    const bytes = this.#writing;
    // Does not keep the other side's buffer alive.
    this.#writing = NOTHING;
    if (count < bytes.length) return this.write(bytes.subarray(count));
  };

  readonly #onError = (cause: unknown): never => {
    throw this.#aborted ? this.#abortion() : lostError(cause);
  };

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #abortion(): unknown {
    return this.#reason ?? new RatholeError("aborted", "the connection was ended by this side");
  }
}

/** Accepts TCP connections at an address. */
export class TcpListener implements Disposable {
  /** The address that is listened on; a port of 0 has become a real one. */
  readonly address: Address;
  readonly #listener: Deno.TcpListener;
  readonly #options: SocketOptions;
  #closed = false;

  /**
   * Listens from now on.
   *
   * @throws {RatholeError} `bind`, `resolve` or `permission`, saying what is in the way.
   */
  constructor(at: Address, options: SocketOptions) {
    try {
      this.#listener = Deno.listen({ hostname: at.hostname, port: at.port });
    } catch (error) {
      throw bindError(at, error);
    }
    this.address = plainAddress(this.#listener.addr);
    this.#options = options;
  }

  /**
   * The next connection.
   *
   * @throws {RatholeError} `aborted` once the listener is closed; otherwise what the system said
   * (out of descriptors, say), after which accepting may be tried again.
   */
  async accept(): Promise<TcpConnection> {
    return new TcpConnection(await this.acceptSocket(), this.#options);
  }

  /** As {@linkcode TcpListener.accept}, for who needs the bare socket. */
  async acceptSocket(): Promise<Deno.TcpConn> {
    let socket;
    try {
      socket = await this.#listener.accept();
    } catch (error) {
      throw this.#closed ? new RatholeError("aborted", "no longer listening") : error;
    }
    prepareSocket(socket, this.#options);
    return socket;
  }

  /** Stops listening; a pending accept rejects. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }

  /** Same as {@linkcode TcpListener.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function plainAddress({ hostname, port }: Deno.NetAddr): Address {
  return { hostname, port };
}

/**
 * Opens a connection; a host name's addresses are tried as RFC 8305 (Happy Eyeballs) has it.
 *
 * @throws {RatholeError} `connect`, `resolve` or `permission`; the signal's reason when it is
 * aborted.
 */
export async function dialTcp(
  to: Address,
  options: SocketOptions,
  signal: AbortSignal,
): Promise<TcpConnection> {
  const socket = await dialSocket(to, signal);
  prepareSocket(socket, options);
  return new TcpConnection(socket, options);
}

/** As {@linkcode dialTcp}, for who needs the bare socket. */
export async function dialSocket(to: Address, signal: AbortSignal): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  // Where the connection comes about and the signal is aborted before `Deno.connect` has taken its
  // next step, it has its signal throw and forgets the socket, open. This one does not throw.
  const dialling = new AbortController();
  Object.defineProperty(dialling.signal, "throwIfAborted", { value: () => {} });
  const abort = () => dialling.abort();
  signal.addEventListener("abort", abort);
  let socket;
  try {
    const { hostname, port } = to;
    socket = await Deno.connect({ hostname, port, signal: dialling.signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : connectError(to, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
  if (signal.aborted) {
    socket.close();
    throw signal.reason;
  }
  return socket;
}
