/**
 * The opening handshake of RFC 6455, section 4, as rathole uses it: no Origin, no subprotocol, and
 * one extension of ours.
 *
 * @module
 */

import { sha1 } from "@noble/hashes/legacy.js";
import { RatholeError } from "../runtime/errors.ts";
import { type Head, membersOf, onlyValue } from "./head.ts";

/**
 * The extension between two of ours: a Close frame ends its sender's direction only. rathole 0.5.0
 * ignores the offer, and dies of the frame.
 */
const HALF_CLOSE = "rathole-half-close";

/** What RFC 6455, section 4.2.2 has a server add to the key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION = "13";

/** What a client asks for. */
export interface UpgradeRequest {
  /** Path and query, with the slash that they begin with. */
  readonly path: string;
  /** The Host field: a host, and a port where it is not the scheme's. */
  readonly host: string;
  /** 16 random bytes in base64. */
  readonly key: string;
  /** More fields; secret, often. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/** The key of a request: 16 random bytes in base64. */
export function createKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64();
}

/** The head of a request for an upgrade. Nothing in it may contain a CR or LF: that is not checked. */
export function encodeRequest({ path, host, key, headers }: UpgradeRequest): Uint8Array {
  const fields = [
    ["Host", host],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", VERSION],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Extensions", HALF_CLOSE],
    ...headers,
  ];
  return encodeHead(`GET ${path} HTTP/1.1`, fields);
}

/** What a server learns from a request that it can grant. */
export interface Upgrade {
  /** For the reply. */
  readonly key: string;
  /** Whether the client's Close frame ends its own direction only, and so may ours. */
  readonly halfClose: boolean;
}

/** Reads a request for an upgrade at `path`, or at any; a text says why it is none. */
export function readRequest(head: Head, path: string | undefined): Upgrade | string {
  const [, method = "", target = ""] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(head.start) ?? [];
  if (method === "") return "a request that is not of HTTP/1.1";
  if (method !== "GET") return `an HTTP ${method} request`;
  if (!membersOf(head, "upgrade").includes("websocket")) return "an HTTP request without upgrade";
  if (!membersOf(head, "connection").includes("upgrade")) {
    return "an upgrade that a proxy has lost: its Connection field does not say so";
  }
  if (path !== undefined && target.split("?")[0] !== path) {
    return "an upgrade at another path than transport.websocket.path";
  }
  if (onlyValue(head, "sec-websocket-version") !== VERSION) {
    return "an upgrade to another version of WebSocket";
  }
  const key = onlyValue(head, "sec-websocket-key");
  if (key === undefined || !/^[A-Za-z\d+/]{22}==$/.test(key)) {
    return "an upgrade without a valid key";
  }
  const lengths = head.fields.get("content-length") ?? [];
  if (head.fields.has("transfer-encoding") || lengths.some((length) => length !== "0")) {
    return "an upgrade with a body";
  }
  const halfClose = membersOf(head, "sec-websocket-extensions").includes(HALF_CLOSE);
  return { key, halfClose };
}

/** The head of the reply that grants an upgrade. */
export function encodeReply({ key, halfClose }: Upgrade): Uint8Array {
  const fields = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Accept", acceptFor(key)],
  ];
  if (halfClose) fields.push(["Sec-WebSocket-Extensions", HALF_CLOSE]);
  return encodeHead("HTTP/1.1 101 Switching Protocols", fields);
}

/**
 * Reads the reply to a request with this key.
 *
 * @returns whether the server's Close frame ends its own direction only, and so may ours
 * @throws {RatholeError} `protocol` for any other reply, saying what to do.
 */
export function readReply(head: Head, key: string): boolean {
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.start)?.[1]);
  if (Number.isNaN(status)) {
    throw refused("what answers is no HTTP server; does the server use another transport?");
  }
  if (status !== 101) throw refused(`the answer is HTTP status ${status}: ${remedy(status)}`);
  const upgraded = membersOf(head, "upgrade").includes("websocket") &&
    membersOf(head, "connection").includes("upgrade");
  if (!upgraded) throw refused("the server upgraded to something else");
  if (onlyValue(head, "sec-websocket-accept") !== acceptFor(key)) {
    throw refused("the server's Sec-WebSocket-Accept is not the answer to our key");
  }
  const extensions = membersOf(head, "sec-websocket-extensions");
  if (extensions.some((name) => name !== HALF_CLOSE) || head.fields.has("sec-websocket-protocol")) {
    throw refused("the server agreed to extensions or protocols that nobody offered");
  }
  return extensions.length > 0;
}

/**
 * What Sec-WebSocket-Accept says to a key (RFC 6455, section 4.2.2). Not by WebCrypto, which would
 * wait for one of the runtime's threads: closing TLS connections may occupy all of them (ADR 7).
 */
export function acceptFor(key: string): string {
  return Uint8Array.from(sha1(new TextEncoder().encode(key + GUID))).toBase64();
}

/** The bytes of a head. */
export function encodeHead(start: string, fields: readonly (readonly string[])[]): Uint8Array {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`${start}\r\n${lines.join("")}\r\n`);
}

function refused(why: string): RatholeError {
  return new RatholeError("protocol", `WebSocket was refused: ${why}`);
}

function remedy(status: number): string {
  if (status >= 300 && status < 400) {
    return "it is elsewhere; is wss needed (transport.websocket.tls), or another host or path?";
  }
  switch (status) {
    case 400:
      return "does the server use another transport, or TLS?";
    case 401:
    case 403:
    case 407:
      return "something in front of the server wants credentials; see transport.websocket.headers";
    case 404:
      return "wrong transport.websocket.path or host, or another program answers";
    case 426:
      return "something in front of the server does not pass upgrades on";
    case 502:
    case 503:
    case 504:
      return "the proxy in front of the server cannot reach it; is the server running?";
    default:
      return "another program answers, or a proxy in front of the server does not pass it on";
  }
}
