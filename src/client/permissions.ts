/**
 * What a client's configuration needs of the Deno sandbox, asked before anything depends on it.
 *
 * @module
 */

import type { ClientConfig } from "../config/types.ts";
import { localEndFor } from "../net/datagrams.ts";
import { requireAddresses, requireResolving } from "../net/permission.ts";
import { type Address, configuredAddress, parseIp } from "../runtime/address.ts";
import { proxyOf } from "../transport/open.ts";

/** Checks everything that the configuration will use. @throws {RatholeError} `permission` */
export function requirePermissions(config: ClientConfig): void {
  // Behind a proxy, the server's address is for the proxy to look up and to connect to.
  const contacted = proxyOf(config.transport) ?? configuredAddress(config.remote_addr);
  requireAddresses("using", [contacted, ...forwardingAddresses(config)]);
  requireResolving(lookedUpHosts(config, contacted));
}

/** Host names that this program looks up by itself; the others are left to `Deno.connect`. */
function lookedUpHosts(config: ClientConfig, contacted: Address): string[] {
  const udp = Array.from(config.services.values()).filter(({ type }) => type === "udp");
  const hosts = udp.map(({ local_addr }) => configuredAddress(local_addr).hostname);
  return config.prefer_ipv6 ? [contacted.hostname, ...hosts] : hosts;
}

/** What forwarding will use: the services, and for UDP ones sockets of its own. */
function forwardingAddresses(config: ClientConfig): Address[] {
  return Array.from(config.services.values()).flatMap(({ local_addr, type }) => {
    const local = configuredAddress(local_addr);
    // From where a name is best reached, only its address will tell.
    const named = parseIp(local.hostname) === null;
    return type === "tcp" || named ? [local] : [local, localEndFor(local)];
  });
}
