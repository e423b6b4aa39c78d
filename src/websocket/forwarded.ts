/**
 * Where a request comes from when it came through proxies.
 *
 * @module
 */

import { type Address, isAddress, parseAddress, parseIp } from "../runtime/address.ts";
import { contains, type Network } from "../runtime/network.ts";

/**
 * The address of the client: `peer` itself, unless that is a trusted proxy. Each proxy adds whom it
 * saw at the end of `X-Forwarded-For`, so what counts is the last address there which is not a
 * trusted proxy; all before it anybody could have written. Where all are trusted it is the first.
 * A header that is malformed is ignored. The port is 0 where none was given, as usual.
 *
 * @param values of the header, in the order of its lines
 */
export function forwardedPeer(
  peer: Address,
  values: readonly string[],
  trusted: readonly Network[],
): Address {
  if (!isTrusted(peer, trusted)) return peer;
  let client = peer;
  for (const entry of values.join(",").split(",").reverse()) {
    const address = parseEntry(entry.trim());
    if (address === null) return peer;
    client = address;
    if (!isTrusted(address, trusted)) break;
  }
  return client;
}

/** An IP address, bare, or with a port as some proxies write it. */
function parseEntry(entry: string): Address | null {
  const bare = /^\[([^\]]*)\]$/.exec(entry)?.[1] ?? entry;
  if (parseIp(bare) !== null) return { hostname: bare, port: 0 };
  const address = parseAddress(entry);
  return isAddress(address) && parseIp(address.hostname) !== null ? address : null;
}

function isTrusted({ hostname }: Address, trusted: readonly Network[]): boolean {
  const ip = parseIp(hostname);
  return ip !== null && trusted.some((network) => contains(network, ip));
}
