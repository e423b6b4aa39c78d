/**
 * Handshakes by a server of `node:tls` that does not listen.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Server as TlsServer, TLSSocket } from "node:tls";

/** What becomes of a handshake. */
export interface Verdict {
  /** It is over; nothing was read yet. */
  secured(socket: TLSSocket): void;
  /** It failed, or the peer closed before its end. */
  failed(error: unknown, socket: TLSSocket): void;
}

/**
 * Has a server of `node:tls` do a connection's handshake. It is given the connection in the way
 * that Node.js documents (`emit("connection")`), through a stand-in for each, because what it tells
 * does not say of which connection.
 */
export function receive(server: TlsServer, wire: Duplex, { secured, failed }: Verdict): void {
  const emit = (event: string, ...args: [TLSSocket] | [unknown, TLSSocket]) => {
    if (event === "secureConnection" && args.length === 1) secured(args[0]);
    if (event === "tlsClientError" && args.length === 2) failed(...args);
    return true;
  };
  const standIn = Object.create(server, { emit: { value: emit } });
  EventEmitter.prototype.emit.call(standIn, "connection", wire);
}
