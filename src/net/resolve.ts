/**
 * Host names to addresses, the system's way (its hosts file included).
 *
 * @module
 */

import { type Address, parseIp } from "../runtime/address.ts";
import { resolveError } from "./system_errors.ts";

/** Which family to prefer where a name has both. */
export type Family = "any" | "ipv6";

/**
 * An address with an IP address in place of its host name; as it is where it has one already.
 *
 * @throws {RatholeError} `resolve`
 */
export async function resolveHost(address: Address, prefer: Family = "any"): Promise<Address> {
  if (parseIp(address.hostname) !== null) return address;
  const { lookup } = await import("node:dns/promises");
  try {
    const order = prefer === "ipv6" ? "ipv6first" : "verbatim";
    const found = await lookup(address.hostname, { order });
    return { hostname: found.address, port: address.port };
  } catch (error) {
    throw resolveError(address.hostname, error);
  }
}
