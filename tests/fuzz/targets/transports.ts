/**
 * Every transport at both ends, for attackers and for those they attack.
 *
 * @module
 */

import type { Address, ClientOptions, ServerOptions } from "../../../mod.ts";
import { validateClientConfig, validateServerConfig } from "../../../src/config/validate.ts";
import { BufferStore } from "../../../src/net/buffers.ts";
import { SystemClock } from "../../../src/runtime/clock.ts";
import { openTransport } from "../../../src/transport/open.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { Certificates } from "../../support/certificates.ts";
import { keysOf } from "../../support/noise_pair.ts";

const PATTERN = "Noise_NK_25519_ChaChaPoly_BLAKE2s";

/** How both ends are told to speak. */
export interface Pair {
  readonly server: NonNullable<ServerOptions["transport"]>;
  readonly client: NonNullable<ClientOptions["transport"]>;
}

/** All transports: their settings, and what there is to be removed in the end. */
export interface Pairs extends AsyncDisposable {
  readonly all: readonly Pair[];
}

/** Plain TCP, noise, WebSocket and TLS. */
export async function openPairs(): Promise<Pairs> {
  const certificates = await Certificates.make();
  const ca = await certificates.ca("fuzz");
  const keys = await keysOf(PATTERN, 9);
  const websocket = { type: "websocket", websocket: { tls: false } } as const;
  return {
    all: [
      { server: { type: "tcp" }, client: { type: "tcp" } },
      {
        server: { type: "noise", noise: { pattern: PATTERN, local_private_key: keys.privateKey } },
        client: { type: "noise", noise: { pattern: PATTERN, remote_public_key: keys.publicKey } },
      },
      { server: websocket, client: websocket },
      {
        server: { type: "tls", tls: await certificates.signed(ca) },
        client: { type: "tls", tls: { trusted_root: ca.certificate, hostname: "localhost" } },
      },
    ],
    [Symbol.asyncDispose]: () => certificates[Symbol.asyncDispose](),
  };
}

/** The client's end of a transport, for an attacker. */
export function clientTransport(transport: Pair["client"]): Promise<Transport> {
  const config = validateClientConfig({ remote_addr: "127.0.0.1:1", services: {}, transport });
  return openTransport("client", config.transport, options());
}

/** The server's end of a transport, for an attacker. */
export function serverTransport(transport: Pair["server"]): Promise<Transport> {
  const config = validateServerConfig({ bind_addr: "127.0.0.1:0", services: {}, transport });
  return openTransport("server", config.transport, options());
}

/** Any port. */
export const ANYWHERE: Address = { hostname: "127.0.0.1", port: 0 };

function options() {
  return {
    buffers: new BufferStore(),
    clock: new SystemClock(),
    events: { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} },
  };
}
