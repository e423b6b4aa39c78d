/**
 * Both ends of TLS on this machine.
 *
 * @module
 */

import { validateClientConfig, validateServerConfig } from "../../src/config/validate.ts";
import type { ClientOptions, ServerOptions } from "../../src/config/options.ts";
import { BufferStore } from "../../src/net/buffers.ts";
import type { Connection } from "../../src/net/connection.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { openTransport } from "../../src/transport/open.ts";
import type { Transport, TransportOptions } from "../../src/transport/transport.ts";
import { ANYWHERE } from "./tcp_pair.ts";

type ServerTls = NonNullable<NonNullable<ServerOptions["transport"]>["tls"]>;
type ClientTls = NonNullable<NonNullable<ClientOptions["transport"]>["tls"]>;

function optionsWith(options: Partial<TransportOptions>): TransportOptions {
  return {
    buffers: new BufferStore(),
    clock: new SystemClock(),
    events: { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} },
    ...options,
  };
}

/** A server's transport. */
export function tlsServer(
  tls: ServerTls,
  options: Partial<TransportOptions> = {},
): Promise<Transport> {
  const config = validateServerConfig({
    bind_addr: "127.0.0.1:0",
    services: {},
    transport: { type: "tls", tls },
  });
  return openTransport("server", config.transport, optionsWith(options));
}

/** A client's transport. */
export function tlsClient(
  tls: ClientTls,
  options: Partial<TransportOptions> = {},
): Promise<Transport> {
  const config = validateClientConfig({
    remote_addr: "localhost:1",
    services: {},
    transport: { type: "tls", tls },
  });
  return openTransport("client", config.transport, optionsWith(options));
}

/** A client's end and a server's, connected. */
export async function tlsPair(
  server: Transport,
  client: Transport,
): Promise<[Connection, Connection]> {
  using listener = server.bind(ANYWHERE);
  const accepting = listener.accept().then((incoming) => incoming.handshake());
  const signal = new AbortController().signal;
  return await Promise.all([client.connect(listener.address, { signal }), accepting]);
}
