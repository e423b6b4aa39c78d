/**
 * UDP endpoints as keys of a map.
 *
 * @module
 */

/** Equal for equal addresses and ports; made without allocating for IPv4. */
export type EndpointKey = number | string;

/** The key of an address of 4 or 16 bytes and a port. */
export function endpointKey(ip: Uint8Array, port: number): EndpointKey {
  if (ip.length === 4) {
    const high = (ip[0] ?? 0) * 256 + (ip[1] ?? 0);
    const low = (ip[2] ?? 0) * 256 + (ip[3] ?? 0);
    return (high * 65_536 + low) * 65_536 + port;
  }
  return String.fromCharCode(...ip, port);
}

/** A number that spreads endpoints evenly over a few buckets: FNV-1a, 32 bits. */
export function endpointHash(ip: Uint8Array, port: number): number {
  let hash = 0x811c9dc5;
  for (const byte of ip) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (port & 0xff), 0x01000193);
  hash = Math.imul(hash ^ (port >> 8), 0x01000193);
  // The low bits of FNV alone are weak where only a few bytes differ.
  return (hash ^ (hash >>> 15)) >>> 0;
}
