/**
 * The client's side of TLS: `Deno.startTls`, or `node:tls` where a certificate is to be shown
 * (ADR 7).
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import type { Connection } from "../net/connection.ts";
import { prepareSocket, type SocketOptions } from "../net/tcp.ts";
import { type Address, parseIp } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Closings } from "./tls_closings.ts";
import { TlsConnection } from "./tls_connection.ts";
import { DenoTlsConnection } from "./tls_deno_connection.ts";
import { clientHandshakeError, clientLostError, shownLostError } from "./tls_errors.ts";
import type { Identity } from "./tls_identity.ts";
import { Wire } from "./tls_wire.ts";

/** What a client trusts, and what it shows. */
export interface ClientTrust {
  /**
   * Certificates in PEM that are trusted: besides the runtime's own, or in their place where
   * `node:tls` is used.
   */
  readonly roots: readonly string[];
  /** What to show when asked. */
  readonly identity: Identity | undefined;
}

/** What a handshake needs to know. */
export interface ClientHandshake {
  /** The server, for messages. */
  readonly to: Address;
  /** The host name or IP address that the server's certificate must be for. */
  readonly name: string;
  /** See {@linkcode ClientTrust}. */
  readonly trust: ClientTrust;
  /** How the socket is set up. */
  readonly socket: SocketOptions;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Makes TLS connections of connected sockets.
 *
 * `Deno.startTls` is fast and has a fault: a connection that is closed before its handshake is over
 * keeps its descriptor until the peer closes its end. So once a server has let a handshake time
 * out, `node:tls`, which has no such fault, does the handshakes until one succeeds: a server that
 * hangs costs the descriptors of the attempts under way, and not one for every retry.
 *
 * `node:tls` also takes over while many connections close: see {@linkcode Closings}.
 */
export class TlsStarter {
  readonly #closings: Closings;
  readonly #onClose: () => void;
  #wary = false;
  /** With what `node:tls`, for which `trusted_root` is all there is, does not trust the server. */
  #onlyDeno: ClientTrust | undefined;

  /** `now` in milliseconds, as `Clock.now`. */
  constructor(now: () => number) {
    const closings = this.#closings = new Closings(now);
    this.#onClose = () => closings.add();
  }

  /**
   * A TLS connection over a socket that `dial` gives and that is owned from then on. Called again
   * where `node:tls` was only to help out and does not trust whom Deno may.
   *
   * @throws {RatholeError} `untrusted`, `protocol`, `closed`; what `dial` throws.
   */
  async start(dial: () => Promise<Deno.TcpConn>, options: ClientHandshake): Promise<Connection> {
    const { signal, trust } = options;
    const helping = (this.#wary || this.#closings.many) && this.#onlyDeno !== trust;
    const byNode = trust.identity !== undefined || helping;
    const socket = await dial();
    prepareSocket(socket, options.socket);
    try {
      const connection = byNode
        ? await startByNode(socket, options, trust.identity)
        : await startByDeno(socket, options, this.#onClose);
      this.#wary = false;
      return connection;
    } catch (error) {
      if (signal.aborted) this.#wary = true;
      const distrusted = error instanceof RatholeError && error.code === "untrusted";
      if (!helping || trust.identity !== undefined || !distrusted) throw error;
      this.#onlyDeno = trust;
    }
    return await this.start(dial, options);
  }
}

/** By Deno's own TLS: the fast way. */
async function startByDeno(
  raw: Deno.TcpConn,
  options: ClientHandshake,
  onClose: () => void,
): Promise<Connection> {
  const { name, signal, socket, to, trust } = options;
  const { hostname, port } = raw.remoteAddr;
  let tls: Deno.TlsConn | undefined;
  let closed = false;
  const abort = () => {
    closed = true;
    tls?.close();
  };
  try {
    // Only turns the socket into another kind; nothing is sent before `handshake`.
    tls = await Deno.startTls(raw, { hostname: name, caCerts: [...trust.roots] });
    signal.throwIfAborted();
    signal.addEventListener("abort", abort);
    await tls.handshake();
    signal.throwIfAborted();
    return new DenoTlsConnection(tls, { hostname, port }, socket.buffers, onClose);
  } catch (error) {
    if (tls === undefined) raw.close();
    else if (!closed) tls.close();
    throw signal.aborted ? signal.reason : clientHandshakeError(to, name, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** By `node:tls`, which can also show a certificate. */
async function startByNode(
  raw: Deno.TcpConn,
  options: ClientHandshake,
  identity: Identity | undefined,
): Promise<Connection> {
  const { name, signal, socket, to, trust } = options;
  const { hostname, port } = raw.remoteAddr;
  const wire = new Wire(raw, socket.buffers);
  if (signal.aborted) {
    wire.close();
    throw signal.reason;
  }
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const tls = connectTls({
    socket: wire,
    host: name,
    ...(parseIp(name) === null ? { servername: name } : {}),
    // In place of the runtime's own, which it shows only to who has --allow-sys=ca.
    ...(trust.roots.length === 0 ? {} : { ca: [...trust.roots] }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    minVersion: "TLSv1.2",
  });
  tls.once("secureConnect", () => {
    const explain = identity === undefined ? clientLostError : shownLostError;
    resolve(new TlsConnection(tls, wire, { hostname, port }, explain));
  });
  tls.on("error", reject);
  tls.once("close", () => reject(new Error("closed")));
  // After what the engine says of the peer's last words.
  wire.once("end", () => setImmediate(() => reject(new Error("closed"))));
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const connection = await promise;
    signal.throwIfAborted();
    return connection;
  } catch (error) {
    wire.close();
    tls.destroy();
    throw signal.aborted ? signal.reason : clientHandshakeError(to, name, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
