/**
 * Connected TCP sockets on this machine.
 *
 * @module
 */

import { Socket } from "node:net";
import { BufferStore } from "../../src/net/buffers.ts";
import { dialTcp, type SocketOptions, type TcpConnection, TcpListener } from "../../src/net/tcp.ts";
import type { Doomed } from "./connection_contract.ts";

/** Any free port of this machine. */
export const ANYWHERE = { hostname: "127.0.0.1", port: 0 };

/** Plain settings. */
export function socketOptions(): SocketOptions {
  return { nodelay: true, keepalive: true, buffers: new BufferStore() };
}

/** Two connected ends. */
export async function tcpPair(): Promise<[TcpConnection, TcpConnection]> {
  using listener = new TcpListener(ANYWHERE, socketOptions());
  return await Promise.all([
    dialTcp(listener.address, socketOptions(), new AbortController().signal),
    listener.accept(),
  ]);
}

/** A connection whose peer can reset it, which only node:net can. */
export async function doomedTcp(): Promise<Doomed> {
  using listener = new TcpListener(ANYWHERE, socketOptions());
  const socket = new Socket();
  const connected = new Promise<void>((resolve) => {
    socket.connect(listener.address.port, listener.address.hostname, resolve);
  });
  const [connection] = await Promise.all([listener.accept(), connected]);
  return { connection, reset: () => void socket.resetAndDestroy() };
}
