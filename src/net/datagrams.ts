/**
 * UDP sockets: `Deno.listenDatagram` where it can be used, `node:dgram` elsewhere.
 *
 * The first takes half the CPU time, but it is an unstable API that is absent when this program runs
 * as a package. Both ask for the permission to use the address that they bind, and every single
 * destination.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { type Address, formatAddress, isLoopback } from "../runtime/address.ts";
import { mayUse } from "./permission.ts";
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
  /** Resolves when the socket is closed and its buffer free, a little after `close`. */
  readonly closed: Promise<void>;
}

/** How a socket is opened. */
export interface DatagramOptions {
  /** Where to bind. */
  readonly at: Address;
  /** Takes what arrives. */
  readonly take: DatagramTaker;
}

/** As long as the longest datagram: UDP cuts what does not fit, and does not say so. */
const RECEIVE_BUFFER = 65_536;
/**
 * Datagrams received in a row: as long as there are more, receiving does not go back to the event
 * loop, and a flood would stop everything else.
 */
const IN_A_ROW = 64;

/** Whose sockets are used. */
export type DatagramKind = "deno" | "node";

/**
 * Opens a UDP socket, of the faster kind that is there; problems come with
 * {@linkcode DatagramSocket.bound}.
 */
export function openDatagrams(
  options: DatagramOptions,
  kind: DatagramKind = bestKind(options.at),
): DatagramSocket {
  return kind === "deno" ? openWithDeno(options) : openWithNode(options);
}

/** The wildcard or loopback address from which `to` is best reached: nobody else's is needed. */
export function localEndFor(to: Address): Address {
  const v6 = to.hostname.includes(":");
  const hostname = isLoopback(to.hostname) ? (v6 ? "::1" : "127.0.0.1") : (v6 ? "::" : "0.0.0.0");
  return { hostname, port: 0 };
}

function bestKind(at: Address): DatagramKind {
  // The one that is always there says what is missing where the permission is.
  return typeof Deno.listenDatagram === "function" && mayUse(at) ? "deno" : "node";
}

function openWithDeno({ at, take }: DatagramOptions): DatagramSocket {
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ transport: "udp", hostname: at.hostname, port: at.port });
  } catch (error) {
    return failed(bindError(at, error));
  }
  const address = netAddress(socket.addr);
  const receiving = new AbortController();
  const { signal } = receiving;
  // Ends with `close`, and cannot fail.
  const closed = receiveAll(socket, take, signal);
  const close = () => {
    if (signal.aborted) return;
    receiving.abort();
    socket.close();
  };
  // Most often it is the same one as before.
  let last: { readonly to: Address; readonly address: Deno.NetAddr } | undefined;
  return {
    bound: Promise.resolve(address),
    send: inTurn((payload, to) => {
      if (signal.aborted) return Promise.resolve(false);
      if (last?.to !== to) last = { to, address: { transport: "udp", ...to } };
      return socket.send(payload, last.address).then(taken, notTaken);
    }),
    close,
    closed,
    [Symbol.dispose]: close,
  };
}

/** One after the other: sends that wait for a socket at the same time leave it in reverse. */
function inTurn(send: DatagramSocket["send"]): DatagramSocket["send"] {
  let sending: Promise<boolean> = Promise.resolve(true);
  return (payload, to) => sending = sending.then(() => send(payload, to));
}

const taken = () => true;
const notTaken = () => false;

async function receiveAll(
  socket: Deno.DatagramConn,
  take: DatagramTaker,
  signal: AbortSignal,
): Promise<void> {
  const buffer = new Uint8Array(RECEIVE_BUFFER);
  for (let received = 0; !signal.aborted; received++) {
    if (received % IN_A_ROW === IN_A_ROW - 1) await turn();
    try {
      const [payload, from] = await socket.receive(buffer);
      if (!signal.aborted) take(payload, netAddress(from));
    } catch {
      // An ICMP error of an earlier send (port unreachable) surfaces here; it says nothing about
      // what others send. A turn of the event loop in between, so that errors in a row cannot spin.
      await turn();
    }
  }
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function openWithNode({ at, take }: DatagramOptions): DatagramSocket {
  // A denied bind would throw where nobody can catch it, so the question comes first.
  if (!mayUse(at)) return failed(sandboxError("listening on", formatAddress(at)));
  const socket = createSocket(at.hostname.includes(":") ? "udp6" : "udp4");
  const { promise: bound, resolve, reject } = Promise.withResolvers<Address>();
  const { promise: closed, resolve: isClosed } = Promise.withResolvers<void>();
  // The callback of a send never comes once the socket was closed or could not be bound.
  const underWay = new Set<(taken: boolean) => void>();
  let isBound = false;
  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    socket.close(() => isClosed());
    for (const sent of underWay) sent(false);
    underWay.clear();
  };
  socket.on("error", (error) => {
    if (isBound) return;
    reject(bindError(at, error));
    // The next send would bind it anew, to the wildcard address.
    close();
  });
  socket.on("message", (payload, from) => {
    if (!closing) take(payload, { hostname: from.address, port: from.port });
  });
  socket.bind(at.port, at.hostname, () => {
    isBound = true;
    const { address, port } = socket.address();
    resolve({ hostname: address, port });
  });
  const send: DatagramSocket["send"] = (payload, to) =>
    new Promise((sent) => {
      if (closing || to.port === 0) return sent(false);
      const done = (taken: boolean) => {
        underWay.delete(sent);
        sent(taken);
      };
      underWay.add(sent);
      try {
        socket.send(payload, to.port, to.hostname, (error) => done(error === null));
      } catch {
        // It throws what it thinks is the caller's fault, such as a port it does not like.
        done(false);
      }
    });
  return {
    bound,
    send: inTurn(send),
    close,
    closed,
    [Symbol.dispose]: close,
  };
}

function failed(error: unknown): DatagramSocket {
  return {
    bound: Promise.reject(error),
    send: () => Promise.resolve(false),
    close: () => {},
    closed: Promise.resolve(),
    [Symbol.dispose]: () => {},
  };
}

function netAddress(address: Deno.Addr): Address {
  if (!("hostname" in address)) return { hostname: "", port: 0 };
  const { hostname, port } = address;
  return { hostname, port };
}
