/**
 * Proxies that answer what a test has them answer, and dialling through them.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { parseProxy } from "../../src/config/proxy.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { DirectDialer } from "../../src/transport/dialer.ts";
import { ProxyDialer } from "../../src/transport/proxy/dialer.ts";
import { closedByPeer, copy, type TcpService, tcpService, writeAll } from "./local_services.ts";

/** A turn of the conversation: so many bytes are awaited, then these are sent. */
export type Turn = readonly [awaited: number, answer: Uint8Array];

/** How a fake proxy behaves. */
export interface FakeProxyOptions {
  /** Of all answers together, only so many bytes are sent; then the connection is ended. */
  readonly cutAfter?: number;
  /** Bytes that are sent at a time; all at once, if not given. */
  readonly chunk?: number;
}

/** What the conversation came to. */
export interface FakeProxy extends TcpService {
  /** What the last client has sent, turn for turn. */
  readonly heard: readonly Uint8Array[];
}

/** Goes through the turns with every client; then sends back what it gets, as a tunnel to an echo. */
export function fakeProxy(turns: readonly Turn[], options: FakeProxyOptions = {}): FakeProxy {
  const { chunk = Infinity, cutAfter = Infinity } = options;
  let heard: Uint8Array[] = [];
  const service = tcpService(async (connection) => {
    heard = [];
    connection.setNoDelay(true);
    let left = cutAfter;
    for (const [awaited, answer] of turns) {
      const question = await hear(connection, awaited);
      // A client may give up at any time.
      if (question === null) return;
      heard.push(question);
      const part = answer.subarray(0, left);
      left -= part.length;
      for (let at = 0; at < part.length; at += chunk) {
        await writeAll(connection, part.subarray(at, at + chunk));
      }
      if (part.length < answer.length) {
        await connection.closeWrite();
        return await closedByPeer(connection);
      }
    }
    await copy(connection, connection);
  });
  return {
    address: service.address,
    get accepted() {
      return service.accepted;
    },
    get heard() {
      return heard;
    },
    stop: service.stop,
    [Symbol.asyncDispose]: service.stop,
  };
}

/** Exactly so many bytes; null when the client ends before. */
async function hear(connection: Deno.TcpConn, length: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null) return null;
    filled += count;
  }
  return bytes;
}

/** A dialer that goes through the proxy that a URL names. @throws what `ProxyDialer` throws */
export function dialerThrough(url: string): ProxyDialer {
  const proxy = parseProxy(url);
  if (typeof proxy === "string") throw new Error(`the proxy's URL ${proxy}`);
  return new ProxyDialer(proxy, new DirectDialer("any", new SystemClock()));
}

/** Dials through a proxy at an address; `userinfo` is what stands before its host. */
export function dialThrough(
  scheme: "http" | "socks5",
  at: Address,
  to: Address,
  { userinfo = "", signal = new AbortController().signal } = {},
): Promise<Deno.TcpConn> {
  return dialerThrough(`${scheme}://${userinfo}${at.hostname}:${at.port}`).dial(to, { signal });
}
