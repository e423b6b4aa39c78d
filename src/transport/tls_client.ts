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
 * out, `node:tls`, which has no such fault, does the handshakes until one is answered: a server
 * that hangs costs the descriptors of the attempts under way, and not one for every retry.
 */
export class TlsStarter {
  #wary = false;

  /** Takes a socket over. @throws {RatholeError} `untrusted`, `protocol`, `closed` */
  async start(socket: Deno.TcpConn, options: ClientHandshake): Promise<Connection> {
    prepareSocket(socket, options.socket);
    const { signal, trust } = options;
    const byNode = trust.identity !== undefined || this.#wary;
    try {
      const connection = byNode
        ? await startByNode(socket, options, trust.identity)
        : await startByDeno(socket, options);
      this.#wary = false;
      return connection;
    } catch (error) {
      this.#wary = signal.aborted;
      throw error;
    }
  }
}

/** By Deno's own TLS: the fast way. */
async function startByDeno(raw: Deno.TcpConn, options: ClientHandshake): Promise<Connection> {
  const { name, signal, socket, to, trust } = options;
  const { hostname, port } = raw.remoteAddr;
  let tls: Deno.TlsConn | undefined;
  const abort = () => tls?.close();
  try {
    // Only turns the socket into another kind; nothing is sent before `handshake`.
    tls = await Deno.startTls(raw, { hostname: name, caCerts: [...trust.roots] });
    signal.throwIfAborted();
    signal.addEventListener("abort", abort);
    await tls.handshake();
    signal.throwIfAborted();
    return new DenoTlsConnection(tls, { hostname, port }, socket.buffers);
  } catch (error) {
    if (tls === undefined) raw.close();
    // The signal has closed it already.
    else if (!signal.aborted) tls.close();
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
    signal.throwIfAborted();
    return await promise;
  } catch (error) {
    wire.close();
    tls.destroy();
    throw signal.aborted ? signal.reason : clientHandshakeError(to, name, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
