/**
 * Transports of this program, with keys and certificates, in this process.
 *
 * @module
 */

import type { TransportOptions } from "../../src/config/options.ts";
import { validateClientConfig, validateServerConfig } from "../../src/config/validate.ts";
import { BufferStore } from "../../src/net/buffers.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { openTransport } from "../../src/transport/open.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { Certificates } from "./certificates.ts";
import { keysOf } from "./noise_pair.ts";

/** What both ends of a transport are told. */
export interface TransportRow {
  readonly name: string;
  readonly server: TransportOptions;
  readonly client: TransportOptions;
  /** Bytes by which a conversation may be shorter than another one: signatures differ. */
  readonly slack: number;
}

const NK = "Noise_NK_25519_ChaChaPoly_BLAKE2s";
const XX = "Noise_XX_25519_ChaChaPoly_BLAKE2s";

/** All kinds. */
export async function transportRows(made: Certificates): Promise<readonly TransportRow[]> {
  const ca = await made.ca("ca");
  const own = await made.signed(ca);
  const mine = await made.signed(ca, { usage: "client" });
  const trusted_root = ca.certificate;
  const [theirs, ours] = [await keysOf(NK, 7), await keysOf(NK, 9)];

  const websocket = { path: "/tunnel" };
  return [
    { name: "tcp", server: {}, client: {}, slack: 0 },
    {
      name: "noise NK",
      server: { type: "noise", noise: { pattern: NK, local_private_key: ours.privateKey } },
      client: { type: "noise", noise: { pattern: NK, remote_public_key: ours.publicKey } },
      slack: 0,
    },
    {
      name: "noise XX",
      server: {
        type: "noise",
        noise: {
          pattern: XX,
          local_private_key: ours.privateKey,
          remote_public_key: theirs.publicKey,
        },
      },
      client: {
        type: "noise",
        noise: {
          pattern: XX,
          local_private_key: theirs.privateKey,
          remote_public_key: ours.publicKey,
        },
      },
      slack: 0,
    },
    {
      name: "websocket",
      server: { type: "websocket", websocket: { tls: false, ...websocket } },
      client: { type: "websocket", websocket: { tls: false, ...websocket } },
      // The port in the Host field.
      slack: 2,
    },
    {
      name: "tls",
      server: { type: "tls", tls: { ...own } },
      client: { type: "tls", tls: { trusted_root } },
      slack: 16,
    },
    {
      name: "tls with a client certificate",
      server: { type: "tls", tls: { ...own, client_ca: ca.certificate } },
      client: { type: "tls", tls: { trusted_root, ...mine } },
      slack: 16,
    },
    {
      name: "websocket over tls",
      server: { type: "websocket", websocket: { tls: true, ...websocket }, tls: { ...own } },
      client: { type: "websocket", websocket: { tls: true, ...websocket }, tls: { trusted_root } },
      slack: 16,
    },
  ];
}

/** Both ends' transports: server, client. */
export function openRow({ server, client }: TransportRow): Promise<[Transport, Transport]> {
  const options = {
    buffers: new BufferStore(),
    clock: new SystemClock(),
    events: { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} },
  };
  const atServer = validateServerConfig({
    bind_addr: "127.0.0.1:0",
    services: {},
    transport: server,
  });
  const atClient = validateClientConfig({
    remote_addr: "127.0.0.1:1",
    services: {},
    transport: client,
  });
  return Promise.all([
    openTransport("server", atServer.transport, options),
    openTransport("client", atClient.transport, options),
  ]);
}
