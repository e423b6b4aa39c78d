/**
 * Host names to addresses, the system's way (its hosts file included).
 *
 * @module
 */

import { type Address, formatIp, parseIp } from "../runtime/address.ts";
import { resolveError } from "./system_errors.ts";

/** Which family to prefer where a name has both. */
export type Family = "any" | "ipv6";

/**
 * An address with an IP address in place of its host name; as it is where it has one already.
 *
 * @throws {RatholeError} `resolve`; the signal's reason when it is aborted. The system cannot be told
 * to stop looking, and may look for half a minute; nobody needs to wait for it.
 */
export async function resolveHost(
  address: Address,
  signal: AbortSignal,
  prefer: Family = "any",
): Promise<Address> {
  if (parseIp(address.hostname) !== null) return address;
  const { lookup } = await import("node:dns/promises");
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const order = prefer === "ipv6" ? "ipv6first" : "verbatim";
    const found = await Promise.race([lookup(address.hostname, { order }), aborted]);
    return { hostname: found.address, port: address.port };
  } catch (error) {
    throw signal.aborted ? signal.reason : resolveError(address.hostname, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * An address the way it stands on what comes back from there: IP addresses in their usual form, and
 * this machine in place of `0.0.0.0` and `::`, which is where the system sends to.
 */
export function asReplied(address: Address): Address {
  const ip = parseIp(address.hostname);
  if (ip === null) return address;
  const hostname = ip.some((byte) => byte !== 0)
    ? formatIp(ip)
    : ip.length === 4
    ? "127.0.0.1"
    : "::1";
  return { hostname, port: address.port };
}
