/**
 * The server's side of TLS: `Deno.listen` accepts, `node:tls` does the rest (ADR 7).
 *
 * @module
 */

import type { Server as TlsServer } from "node:tls";
import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { lostError } from "../net/system_errors.ts";
import type { TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { TlsConnection } from "./tls_connection.ts";
import { serverHandshakeError } from "./tls_errors.ts";
import type { LiveFiles } from "./tls_files.ts";
import { readFirstRecord } from "./tls_hello.ts";
import { receive } from "./tls_receive.ts";
import { Wire } from "./tls_wire.ts";
import type { Incoming, Listener } from "./transport.ts";

/** Milliseconds between two looks at the certificate's files. */
const LOOK = 3_000;

/** What a listener works with. */
export interface TlsListenerOptions {
  /** Accepts the TCP connections, set up as they should be. */
  readonly tcp: TcpListener;
  /** The identity, followed as it changes. */
  readonly files: LiveFiles<TlsServer>;
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
  /** Times the looks at the files. */
  readonly clock: Clock;
}

/** Accepts TLS connections, with the identity that is current when their handshake starts. */
export class TlsListener implements Listener {
  readonly address: Address;
  readonly #options: TlsListenerOptions;
  #look: Deadline | undefined;
  #closed = false;

  /** Owns the TCP listener from now on. */
  constructor(options: TlsListenerOptions) {
    this.#options = options;
    this.address = options.tcp.address;
    this.#lookLater();
  }

  /** See {@linkcode Listener.accept}. */
  async accept(): Promise<Incoming> {
    const { buffers, files, tcp } = this.#options;
    const socket = await tcp.acceptSocket();
    return new TlsIncoming(socket, buffers, files);
  }

  /** See {@linkcode Listener.close}. */
  close(): void {
    this.#closed = true;
    this.#look?.cancel();
    this.#options.tcp.close();
  }

  /** Same as {@linkcode TlsListener.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#look = this.#options.clock.after(LOOK, () => {
      // Never rejects.
      void this.#options.files.check().then(() => this.#lookLater());
    });
  }
}

class TlsIncoming implements Incoming {
  readonly peer: Address;
  readonly #socket: Deno.TcpConn;
  readonly #buffers: BufferStore;
  readonly #files: LiveFiles<TlsServer>;
  #wire: Wire | undefined;
  #connection: Connection | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(
    socket: Deno.TcpConn,
    buffers: BufferStore,
    files: LiveFiles<TlsServer>,
  ) {
    const { hostname, port } = socket.remoteAddr;
    this.peer = { hostname, port };
    this.#socket = socket;
    this.#buffers = buffers;
    this.#files = files;
  }

  async handshake(): Promise<Connection> {
    const wire = this.#wire = new Wire(this.#socket, this.#buffers, await this.#hear());
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    this.#reject = reject;
    receive(this.#files.current, wire, {
      secured: (socket) => {
        // Here, not in a later turn: the first bytes may follow at once.
        this.#connection = new TlsConnection(socket, wire, this.peer, lostError);
        resolve(this.#connection);
      },
      failed: (error, socket) => reject(serverHandshakeError(error, socket.authorizationError)),
    });
    // After what the engine says of the peer's last words.
    wire.once("end", () => setImmediate(() => reject(serverHandshakeError(new Error("closed")))));
    try {
      return await promise;
    } catch (error) {
      // The peer is to learn why: the alert is on its way by the next turn.
      if (this.#aborted === undefined) await new Promise((resolve) => setImmediate(resolve));
      wire.close();
      throw error;
    }
  }

  /** What the client says first. Nothing is left of the socket if it throws. */
  async #hear(): Promise<Uint8Array> {
    this.#throwIfAborted();
    try {
      const said = await readFirstRecord(this.#socket);
      this.#throwIfAborted();
      return said;
    } catch (error) {
      this.#throwIfAborted();
      const failure = serverHandshakeError(error);
      this.abort(failure);
      throw failure;
    }
  }

  #throwIfAborted(): void {
    if (this.#aborted !== undefined) throw this.#aborted.reason;
  }

  abort(reason?: unknown): void {
    if (this.#connection !== undefined) return this.#connection.abort(reason);
    if (this.#aborted !== undefined) return;
    const given = reason ?? new RatholeError("aborted", "the handshake was ended by this side");
    this.#aborted = { reason: given };
    if (this.#wire === undefined) this.#socket.close();
    else this.#wire.close();
    this.#reject?.(given);
  }
}
