/**
 * Names that a certificate may be made for.
 *
 * @module
 */

import { asciiHost, formatIp, parseIp } from "../runtime/address.ts";

/** A name as it stands in a certificate's subjectAltName (RFC 5280, 4.2.1.6). */
export type Host =
  /** A DNS name in ASCII and lower case; its first label may be `*`. */
  | { readonly kind: "dns"; readonly text: string }
  /** An address: 4 or 16 bytes in network order, and its usual text. */
  | { readonly kind: "ip"; readonly text: string; readonly bytes: Uint8Array };

/** Why a text is no such name. */
export interface HostProblem {
  /** `what is wrong; what to write`, as the end of a sentence that begins with the text. */
  readonly problem: string;
}

/** Whether {@linkcode parseHost} understood the text. */
export function isHost(result: Host | HostProblem): result is Host {
  return "kind" in result;
}

/**
 * Reads a DNS name, also with a wildcard or letters beyond ASCII, or an IP address, IPv6 with or
 * without brackets.
 */
export function parseHost(text: string): Host | HostProblem {
  const bytes = parseIp(/^\[(.*:.*)\]$/.exec(text)?.[1] ?? text);
  if (bytes !== null) return { kind: "ip", text: formatIp(bytes), bytes };
  if (text.includes("://")) return { problem: "is a URL; write its host only" };
  if (/^(?:[^:]*|\[.*\]):\d*$/.test(text)) return { problem: "has a port; write the host only" };
  // What ends in a number is an IPv4 address to every resolver, and a wrong one here.
  if (text.includes(":") || /(?:^|\.)\d+\.?$/.test(text)) {
    return { problem: "is no valid IP address; correct it" };
  }
  const wildcard = text.startsWith("*.");
  const name = asciiHost(wildcard ? text.slice(2) : text);
  if (name?.includes("*") === true || text === "*") {
    return {
      problem: "has a * elsewhere than as its first label; write one such as *.example.com",
    };
  }
  const labels = name?.split(".") ?? [];
  if (name === null || name.length > 253 || !labels.every(isLabel)) {
    return { problem: "is no host name; write one such as tunnel.example.com, or an IP address" };
  }
  if (wildcard && labels.length < 2) {
    return { problem: "is a wildcard that nobody accepts; write one such as *.example.com" };
  }
  return { kind: "dns", text: wildcard ? `*.${name}` : name };
}

/** A label by RFC 1123, and underscores, which names of containers have. */
function isLabel(label: string): boolean {
  return /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/.test(label);
}
