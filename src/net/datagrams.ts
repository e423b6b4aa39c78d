/**
 * UDP sockets: `Deno.listenDatagram` where it can be used, `node:dgram` elsewhere.
 *
 * The first is the faster one, but it is an unstable API that is absent when this program runs as
 * a package, and it asks for the permission to send to every single destination. The second is
 * checked when it binds.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { type Address, formatAddress, isLoopback } from "../runtime/address.ts";
import { bindError, sandboxError } from "./system_errors.ts";

/** Takes a datagram; the payload is lent for the call. */
export type DatagramTaker = (payload: Uint8Array, from: Address) => void;

/** A bound UDP socket. */
export interface DatagramSocket extends Disposable {
  /** The address that was bound; rejects with `bind`, `resolve` or `permission`. */
  readonly bound: Promise<Address>;
  /**
   * Sends a datagram; the payload must not change until this resolves. True when the system took
   * it, false when it did not (too long, no route, port 0): UDP promises no more.
   */
  send(payload: Uint8Array, to: Address): Promise<boolean>;
  /** Closes the socket; idempotent. */
  close(): void;
}

/** How a socket is opened. */
export interface DatagramOptions {
  /** Where to bind. */
  readonly at: Address;
  /** The only destination, where there is only one. */
  readonly to?: Address | undefined;
  /** Takes what arrives. */
  readonly take: DatagramTaker;
}

/** As long as the longest datagram: UDP cuts what does not fit, and does not say so. */
const RECEIVE_BUFFER = 65_536;

/** Opens a UDP socket; problems come with {@linkcode DatagramSocket.bound}. */
export function openDatagrams(options: DatagramOptions): DatagramSocket {
  return canUseDenoDatagrams(options) ? openWithDeno(options) : openWithNode(options);
}

/** The wildcard or loopback address from which `to` is best reached: nobody else's is needed. */
export function localEndFor(to: Address): Address {
  const v6 = to.hostname.includes(":");
  const hostname = isLoopback(to.hostname) ? (v6 ? "::1" : "127.0.0.1") : (v6 ? "::" : "0.0.0.0");
  return { hostname, port: 0 };
}

function canUseDenoDatagrams({ at, to }: DatagramOptions): boolean {
  if (typeof Deno.listenDatagram !== "function") return false;
  if (isGranted()) return true;
  return to !== undefined && isGranted(to) && isGranted(at);
}

function isGranted(address?: Address): boolean {
  const descriptor: Deno.NetPermissionDescriptor = address === undefined
    ? { name: "net" }
    : { name: "net", host: formatAddress(address) };
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function openWithDeno({ at, take }: DatagramOptions): DatagramSocket {
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ transport: "udp", hostname: at.hostname, port: at.port });
  } catch (error) {
    return failed(bindError(at, error));
  }
  const address = netAddress(socket.addr);
  let closed = false;
  // Ends with `close`, and cannot fail.
  void receiveAll(socket, take, () => closed);
  const close = () => {
    if (closed) return;
    closed = true;
    socket.close();
  };
  return {
    bound: Promise.resolve(address),
    send: (payload, to) =>
      closed
        ? Promise.resolve(false)
        : socket.send(payload, { transport: "udp", ...to }).then(() => true, () => false),
    close,
    [Symbol.dispose]: close,
  };
}

async function receiveAll(
  socket: Deno.DatagramConn,
  take: DatagramTaker,
  closed: () => boolean,
): Promise<void> {
  const buffer = new Uint8Array(RECEIVE_BUFFER);
  while (!closed()) {
    try {
      const [payload, from] = await socket.receive(buffer);
      if (!closed()) take(payload, netAddress(from));
    } catch {
      // An ICMP error of an earlier send (port unreachable) surfaces here; it says nothing about
      // what others send. A turn of the event loop in between, so that errors in a row cannot spin.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

function openWithNode({ at, take }: DatagramOptions): DatagramSocket {
  // A denied bind would throw where nobody can catch it, so the question comes first.
  if (!isGranted(at)) return failed(sandboxError("listen on", formatAddress(at)));
  const socket = createSocket(at.hostname.includes(":") ? "udp6" : "udp4");
  const { promise: bound, resolve, reject } = Promise.withResolvers<Address>();
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    socket.close();
  };
  socket.on("error", (error) => {
    reject(bindError(at, error));
  });
  socket.on("message", (payload, from) => {
    if (!closed) take(payload, { hostname: from.address, port: from.port });
  });
  socket.bind(at.port, at.hostname, () => {
    const { address, port } = socket.address();
    resolve({ hostname: address, port });
  });
  return {
    bound,
    send: (payload, to) =>
      new Promise((sent) => {
        if (closed || to.port === 0) return sent(false);
        socket.send(payload, to.port, to.hostname, (error) => sent(error === null));
      }),
    close,
    [Symbol.dispose]: close,
  };
}

function failed(error: unknown): DatagramSocket {
  return {
    bound: Promise.reject(error),
    send: () => Promise.resolve(false),
    close: () => {},
    [Symbol.dispose]: () => {},
  };
}

function netAddress(address: Deno.Addr): Address {
  if (!("hostname" in address)) return { hostname: "", port: 0 };
  const { hostname, port } = address;
  return { hostname, port };
}
