/**
 * A tunnel through an HTTP proxy: the CONNECT method (RFC 9110, section 9.3.6).
 *
 * @module
 */

import { type Address, formatAddress } from "../../runtime/address.ts";
import { RatholeError } from "../../runtime/errors.ts";
import { Secret } from "../../runtime/secret.ts";
import type { Credentials, Exchange, Handshake } from "./exchange.ts";

/** Bytes that all heads of an answer may have together; those of real proxies have some hundreds. */
const LONGEST_HEAD = 16_384;
/** What every answer starts with, whatever comes after. */
const START = new TextEncoder().encode("HTTP/1.");
/** Other ways to authenticate that proxies are known to ask for. */
const SCHEMES = ["Digest", "NTLM", "Negotiate", "Kerberos", "Bearer"];
/** The first byte of a SOCKS5 proxy's answers. */
const SOCKS5 = 5;

/**
 * The handshake with an HTTP proxy.
 *
 * @throws {RatholeError} `config` for a user that Basic authentication (RFC 7617) cannot carry.
 */
export function httpConnect(credentials: Credentials | undefined): Handshake {
  const authorization = basic(credentials);
  return async (exchange, to) => {
    const authority = formatAddress(to);
    const request = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
      (authorization === undefined ? "" : `Proxy-Authorization: ${authorization.reveal()}\r\n`) +
      "\r\n";
    await exchange.ask(`CONNECT ${authority}`, new TextEncoder().encode(request));
    const { status, fields } = await readAnswer(exchange);
    if (status >= 200 && status < 300) return;
    // Where it is only the credentials that are wrong, tinyproxy says 401.
    const sentence = status === 407 || status === 401
      ? unauthorized(fields, authorization !== undefined)
      : refusal(status, to);
    throw exchange.failure(`${sentence} (${status})`);
  };
}

function basic(credentials: Credentials | undefined): Secret | undefined {
  if (credentials === undefined) return undefined;
  const { username, password } = credentials;
  if (username.includes(":")) {
    throw new RatholeError(
      "config",
      "transport.tcp.proxy: the user name has a colon in it, which an HTTP proxy would take for " +
        "the start of the password",
    );
  }
  return new Secret(`Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`);
}

/** The head of an answer, its lines taken apart. */
interface Answer {
  readonly status: number;
  /** The lines after the first, as they came. */
  readonly fields: readonly string[];
}

/** Reads the final answer; interim ones (1xx) may come before it. */
async function readAnswer(exchange: Exchange): Promise<Answer> {
  const buffer = new Uint8Array(LONGEST_HEAD);
  let start = 0;
  let filled = 0;
  for (;;) {
    if (filled === buffer.length) {
      throw exchange.failure(`sent an answer of more than ${LONGEST_HEAD} bytes`);
    }
    filled += await exchange.readSome(buffer.subarray(filled));
    for (;;) {
      const pending = buffer.subarray(start, filled);
      requireHttp(exchange, pending);
      const length = headLength(pending);
      if (length === null) break;
      const answer = parseHead(exchange, pending.subarray(0, length));
      start += length;
      if (answer.status >= 200) {
        // Nobody would read them; and a refusal may well have a body.
        if (answer.status < 300 && start < filled) {
          throw exchange.failure("sent something before the tunnel did; it cannot be used");
        }
        return answer;
      }
    }
  }
}

/** Tells what speaks another protocol from its first bytes: it may never send a line's end. */
function requireHttp(exchange: Exchange, bytes: Uint8Array): void {
  const common = Math.min(bytes.length, START.length);
  for (let i = 0; i < common; i++) {
    if (bytes[i] === START[i]) continue;
    throw exchange.failure(
      bytes[0] === SOCKS5
        ? "speaks SOCKS5; write socks5:// in transport.tcp.proxy"
        : "does not speak HTTP; look at the address in transport.tcp.proxy",
    );
  }
}

/** Bytes up to and with the empty line; lines may end in LF alone (RFC 9112, section 2.2). */
function headLength(bytes: Uint8Array): number | null {
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    const next = bytes[at + 1] === 0x0d ? at + 2 : at + 1;
    if (bytes[next] === 0x0a) return next + 1;
  }
  return null;
}

function parseHead(exchange: Exchange, head: Uint8Array): Answer {
  const [first = "", ...fields] = new TextDecoder("latin1").decode(head).split(/\r?\n/);
  const status = /^HTTP\/1\.\d (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined || Number(status) < 100) {
    throw exchange.failure("sent an answer that is not HTTP");
  }
  return { status: Number(status), fields };
}

function unauthorized(fields: readonly string[], tried: boolean): string {
  const schemes = fields.flatMap((field) =>
    /^proxy-authenticate:\s*([a-z\d-]+)/i.exec(field)?.[1]?.toLowerCase() ?? []
  );
  if (schemes.length > 0 && !schemes.includes("basic")) {
    // Only words known beforehand: the proxy may say whatever it was told.
    const known = SCHEMES.filter((scheme) => schemes.includes(scheme.toLowerCase()));
    const names = known.length === 0 ? "other" : known.join(", ");
    return `takes only ${names} authentication, and this program only Basic`;
  }
  return tried
    ? "refused the user name or password; correct them in transport.tcp.proxy"
    : "wants a user name and a password; write them in transport.tcp.proxy, " +
      "as in http://user:password@host:port";
}

function refusal(status: number, to: Address): string {
  const where = formatAddress(to);
  switch (status) {
    case 403:
      return `does not allow connections to ${where}; allow that host and port in its settings`;
    case 404:
    case 405:
    case 501:
      return "does not know CONNECT; it is an ordinary web server, or a proxy that may not tunnel";
    case 500:
    case 502:
    case 503:
      return `could not connect to ${where}; is the server running, and does the proxy know its name?`;
    case 504:
      return `got no answer from ${where} in time`;
    default:
      return `refused to connect to ${where}`;
  }
}
