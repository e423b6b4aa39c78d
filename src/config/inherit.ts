/**
 * Fills in what services take from their side: token, TCP_NODELAY, how to retry.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";
import type { ClientOutput, ServerOutput } from "./schema.ts";
import { DEFAULT_NOISE_PATTERN } from "./transport_schema.ts";
import type { ClientConfig, ServerConfig, TransportConfig } from "./types.ts";

/** The server's side, complete. */
export function completeServer(server: ServerOutput): ServerConfig {
  return {
    ...server,
    transport: completeTransport(server.transport),
    services: mapValues(server.services, (service, name) => ({
      ...service,
      token: tokenOf(name, service.token, server.default_token),
      nodelay: service.nodelay ?? server.transport.tcp.nodelay,
    })),
  };
}

/** The client's side, complete. */
export function completeClient(client: ClientOutput): ClientConfig {
  return {
    ...client,
    transport: completeTransport(client.transport),
    services: mapValues(client.services, (service, name) => ({
      ...service,
      token: tokenOf(name, service.token, client.default_token),
      nodelay: service.nodelay ?? client.transport.tcp.nodelay,
      retry_interval: service.retry_interval ?? client.retry_interval,
      max_retries: service.max_retries ?? client.max_retries,
    })),
  };
}

/** Whoever runs Noise finds its block there, as `type = "noise"` alone is enough for 0.5.0. */
function completeTransport(transport: TransportConfig): TransportConfig {
  if (transport.type !== "noise" || transport.noise !== undefined) return transport;
  return { ...transport, noise: { pattern: DEFAULT_NOISE_PATTERN } };
}

function tokenOf(name: string, own: Secret | undefined, inherited: Secret | undefined): Secret {
  const token = own ?? inherited;
  // The rules have refused such a configuration before.
  if (token === undefined) throw new RatholeError("config", `service ${name} has no token`);
  return token;
}

function mapValues<From, To>(
  map: ReadonlyMap<string, From>,
  change: (value: From, name: string) => To,
): ReadonlyMap<string, To> {
  return new Map([...map].map(([name, value]) => [name, change(value, name)]));
}
