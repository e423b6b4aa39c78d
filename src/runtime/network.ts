/**
 * IP networks as configurations name them (`10.0.0.0/8`, `fd00::/8`, a single address), and
 * whether an address is in one.
 *
 * @module
 */

import { parseIp } from "./address.ts";

/** An IP network. One of a single address has a prefix of all bits. */
export interface Network {
  /** Its first bytes in network order: 4 for IPv4, 16 for IPv6. */
  readonly base: Uint8Array;
  /** How many leading bits every address in it shares: 0 to 32, or 0 to 128. */
  readonly prefix: number;
}

/**
 * Reads an IP address, or `address/bits` (CIDR, RFC 4632 and RFC 4291); null for other text. Bits of
 * the address beyond the prefix are allowed and mean nothing. A network of IPv4 addresses in IPv6
 * form, `::ffff:10.0.0.0/104`, is that of the IPv4 addresses, 10.0.0.0/8.
 */
export function parseNetwork(text: string): Network | null {
  const [, address = "", digits] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const ip = parseIp(address);
  if (ip === null) return null;
  const bits = ip.length * 8;
  const prefix = digits === undefined ? bits : Number(digits);
  if (prefix > bits) return null;
  if (isMapped(ip) && prefix >= 96) return { base: ip.subarray(12), prefix: prefix - 96 };
  return { base: ip, prefix };
}

/**
 * Whether an address, 4 or 16 bytes in network order, is in the network. IPv4 in IPv6 form counts
 * as IPv4, and so is in no network of IPv6.
 */
export function contains({ base, prefix }: Network, ip: Uint8Array): boolean {
  const address = isMapped(ip) ? ip.subarray(12) : ip;
  if (address.length !== base.length) return false;
  const whole = prefix >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== base[i]) return false;
  // Of the byte that the prefix ends in, its leading bits; of none, nothing is left to compare.
  return ((address[whole] ?? 0) ^ (base[whole] ?? 0)) >> (8 - (prefix & 7)) === 0;
}

/** Whether it is an IPv4 address in IPv6 form, `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2). */
function isMapped(ip: Uint8Array): boolean {
  return ip.length === 16 && ip[10] === 255 && ip[11] === 255 &&
    ip.subarray(0, 10).every((byte) => byte === 0);
}
