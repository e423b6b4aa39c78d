/**
 * Addresses as people write them (`host:port`, IPv6 in brackets) and as the wire carries them
 * (4 or 16 bytes in network order).
 *
 * @module
 */

import { RatholeError } from "./errors.ts";

const DOT = 0x2e;
const ZERO = 0x30;

/** A host (name, IPv4 or IPv6 without brackets) and a port from 0 to 65535. */
export interface Address {
  /** Host name or IP address; an IPv6 address has no brackets here. */
  readonly hostname: string;
  /** Port from 0 to 65535. */
  readonly port: number;
}

/** Whether two addresses are written alike. */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.hostname === b.hostname;
}

/** Why a text is not an address. */
export interface AddressProblem {
  /** What is wrong with it, as the end of a sentence. */
  readonly problem: string;
}

/** Whether {@linkcode parseAddress} understood the text. */
export function isAddress(result: Address | AddressProblem): result is Address {
  return "hostname" in result;
}

/**
 * Reads `host:port` or `[ipv6]:port`.
 *
 * A missing port, an empty host, an IPv6 address without brackets or a port above 65535 gives the
 * problem in words. Port 0 is let through: whether it makes sense is the caller's to say.
 */
export function parseAddress(text: string): Address | AddressProblem {
  if (/\s/.test(text)) return { problem: "has a space in it" };
  if (text.includes("/")) return { problem: "has a / in it" };
  const match = /^(?:\[([^\]]*)\]|([^[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return { problem: portProblem(text) };
  const [, bracketed, plain = "", digits] = match;
  const hostname = bracketed ?? plain;
  const port = Number(digits);
  if (port > 65535) return { problem: "has a port above 65535" };
  if (hostname === "") return { problem: "has no host" };
  if (bracketed === undefined && hostname.includes(":")) {
    return {
      problem: /^[\da-f:.]+(?:%.*)?$/i.test(hostname) && !hostname.includes(".")
        ? "is IPv6 without brackets; write [address]:port"
        : "has more than one colon",
    };
  }
  if (bracketed !== undefined && parseIp(bracketed.split("%")[0] ?? "")?.length !== 16) {
    return { problem: "has no IPv6 address in its brackets" };
  }
  return { hostname, port };
}

/** Why a text does not end in a colon and up to five digits. */
function portProblem(text: string): string {
  const afterColon = text.slice(text.lastIndexOf(":") + 1);
  if (!text.includes(":") || afterColon === "") return "has no port";
  if (parseIp(/^\[(.*)\]$/.exec(text)?.[1] ?? text) !== null) return "has no port";
  if (/^\d{6,}$/.test(afterColon)) return "has a port above 65535";
  return /^\d+$/.test(afterColon) ? "has a bracket out of place" : "has no valid port";
}

/**
 * An address from a configuration that was checked before.
 *
 * @throws {RatholeError} `config` when it was not
 */
export function configuredAddress(text: string): Address {
  const address = parseAddress(text);
  if (!isAddress(address)) throw new RatholeError("config", `"${text}" ${address.problem}`);
  return address;
}

/** Writes an address the way {@linkcode parseAddress} reads it. */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * What one party can be taken to have of addresses: an IPv4 address, also where it comes in IPv6
 * clothes, or the /64 network of an IPv6 address, of which anybody is given at least one.
 */
export function sourceNetwork(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const ip = parseIp(hostname.replace(/%.*/, ""));
  if (ip === null) return hostname;
  const mapped = ip.subarray(0, 10).every((byte) => byte === 0) && ip[10] === 255 && ip[11] === 255;
  return mapped ? formatIp(ip.subarray(12)) : ip.subarray(0, 8).toHex();
}

/** Whether the host is this machine itself: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopback(hostname: string): boolean {
  if (hostname === "localhost") return true;
  const ip = parseIp(hostname);
  if (ip === null) return false;
  return ip.length === 4 ? ip[0] === 127 : ip.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/**
 * A host name in ASCII and lower case, letters beyond it in their `xn--` form, as DNS, certificates
 * and proxies have them; null for what is no name in any language.
 */
export function asciiHost(name: string): string | null {
  // ASCII needs no conversion, nor what URLs do besides it.
  if (/^[\x21-\x7e]+$/.test(name)) return name.toLowerCase();
  if (/[\s\p{Cc}/?#@:\\%[\]]/u.test(name)) return null;
  return URL.parse(`http://${name}`)?.hostname ?? null;
}

/** The 4 or 16 bytes of an IP address in network order; null when the text is not one. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** The text of a 4- or 16-byte address; IPv6 in the short form of RFC 5952. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i] ?? 0) << 8 | (bytes[i + 1] ?? 0));
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  const gap = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((g) => g.toString(16)).join(":");
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

/** Read digit by digit: it is asked for with every connection and every datagram of many visitors. */
function parseIpv4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  let at = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (value < 0 || at === 3) return null;
      bytes[at++] = value;
      value = -1;
      continue;
    }
    const digit = code - ZERO;
    // Nothing follows a leading zero: some would read octal there.
    if (digit < 0 || digit > 9 || value === 0) return null;
    value = value < 0 ? digit : value * 10 + digit;
    if (value > 255) return null;
  }
  if (value < 0 || at !== 3) return null;
  bytes[3] = value;
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  // Only the very end of the address may be in IPv4's notation.
  const head = ipv6Groups(halves[0] ?? "", halves.length === 1);
  const tail = ipv6Groups(halves[1] ?? "", true);
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function ipv6Groups(text: string, mayEndInIpv4: boolean): number[] | null {
  const bytes: number[] = [];
  if (text === "") return bytes;
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (mayEndInIpv4 && i === groups.length - 1 && group.includes(".")) {
      const v4 = parseIpv4(group);
      if (v4 === null) return null;
      bytes.push(...v4);
    } else if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return null;
    }
  }
  return bytes;
}

function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(i, end);
  }
  return best;
}
