/**
 * UDP services and visitors, by way of node:dgram, which needs no unstable flag.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import type { Address } from "../../mod.ts";
import { soon } from "./patience.ts";

/** A datagram that arrived. */
export interface Datagram {
  readonly payload: Uint8Array;
  readonly from: Address;
}

/** A bound UDP socket that keeps what arrives. */
export interface UdpSocket extends AsyncDisposable {
  readonly address: Address;
  /** Datagrams that nobody has taken yet. */
  readonly waiting: readonly Datagram[];
  /** The next datagram. */
  next(): Promise<Datagram>;
  send(payload: Uint8Array, to: Address): Promise<void>;
}

/** Binds one; `take` gets the datagrams, where they shall not be kept. */
export async function udpSocket(
  { hostname = "127.0.0.1", port = 0 }: Partial<Address> = {},
  take?: (datagram: Datagram, socket: UdpSocket) => void,
): Promise<UdpSocket> {
  const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
  const { promise: bound, resolve, reject } = Promise.withResolvers<void>();
  // After it was bound: what ICMP reports of an earlier send, which the tests see by itself.
  socket.on("error", reject);
  socket.bind(port, hostname, resolve);
  await soon("a UDP socket to be bound", bound);
  const { address, port: actual } = socket.address();
  let closing: Promise<void> | undefined;
  const waiting: Datagram[] = [];
  const takers: ((datagram: Datagram) => void)[] = [];
  socket.on("message", (payload, from) => {
    const datagram = {
      payload: Uint8Array.from(payload),
      from: { hostname: from.address, port: from.port },
    };
    const taker = takers.shift();
    if (take !== undefined) take(datagram, self);
    else if (taker !== undefined) taker(datagram);
    else waiting.push(datagram);
  });
  const self: UdpSocket = {
    address: { hostname: address, port: actual },
    waiting,
    next() {
      const datagram = waiting.shift();
      if (datagram !== undefined) return Promise.resolve(datagram);
      const { promise, resolve } = Promise.withResolvers<Datagram>();
      takers.push(resolve);
      return soon(`a datagram at port ${actual}`, promise);
    },
    send: (payload, to) =>
      new Promise((sent, failed) => {
        socket.send(payload, to.port, to.hostname, (error) => {
          if (error === null) sent();
          else failed(error);
        });
      }),
    [Symbol.asyncDispose]: () => closing ??= new Promise((done) => void socket.close(() => done())),
  };
  return self;
}

/** Sends every datagram back to where it came from. */
export function udpEcho(at?: Partial<Address>): Promise<UdpSocket> {
  return udpSocket(at, ({ payload, from }, socket) => {
    // UDP promises nothing, and a visitor may be gone by now.
    socket.send(payload, from).catch(() => {});
  });
}

/** Sends until a reply comes, since a datagram may be lost while a path is being set up. */
export async function askDatagram(
  socket: UdpSocket,
  payload: Uint8Array,
  to: Address,
): Promise<Uint8Array> {
  const resend = setInterval(() => void socket.send(payload, to).catch(() => {}), 100);
  try {
    await socket.send(payload, to);
    return (await socket.next()).payload;
  } finally {
    clearInterval(resend);
  }
}
