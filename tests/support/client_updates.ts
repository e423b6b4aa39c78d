/**
 * Clients that tests update, and the streams and services that must go on.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import type { Address, ClientOptions, ClientServiceOptions } from "../../mod.ts";
import { generateKeyPair } from "../../src/cli/genkey.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { CARRIERS } from "./both_ways.ts";
import {
  ask,
  bytesOf,
  copy,
  readBytes,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./local_services.ts";
import { eventually } from "./patience.ts";
import { clientFor, TOKEN, type WatchedServer } from "./tunnel.ts";

/** One byte, as good as any. */
export const X: Uint8Array<ArrayBuffer> = bytesOf("x");
const NOTHING = new Uint8Array(0);
/** So long that what is not tried at once is not tried within a test. */
export const RARELY = { retry_interval: "1h" } as const;
/** Where nobody listens. */
export const NOBODY = "127.0.0.1:1";

const keys = await generateKeyPair("x25519");
/** Settings of Noise_NK for both ends. */
export const NOISE = {
  server: { local_private_key: keys.privateKey.toBase64() },
  client: { remote_public_key: keys.publicKey.toBase64() },
};

/** Services by name, with where they listen. */
export type Services = Readonly<Record<string, ClientServiceOptions | Address>>;

/** A client's configuration as `clientFor` would have it. */
function configuration(
  remote: WatchedServer | string,
  services: Services,
  options: Partial<ClientOptions> = {},
): ClientOptions {
  const complete = Object.entries(services).map(([name, service]) =>
    [name, "port" in service ? { local_addr: formatAddress(service) } : service] as const
  );
  return {
    remote_addr: typeof remote === "string" ? remote : remote.address,
    default_token: TOKEN,
    ...CARRIERS,
    ...options,
    services: new Map(complete),
  };
}

/** A client, and how to update it the way it was started. */
export async function updatable(
  remote: WatchedServer | string,
  services: Services,
  options: Partial<ClientOptions> = {},
) {
  const watched = await clientFor(remote, services, options);
  const update = (
    to: WatchedServer | string,
    services: Services,
    options?: Partial<ClientOptions>,
  ) => watched.client.update(configuration(to, services, options));
  const established = (service: string, times = 1) =>
    eventually(
      `control channel ${times} of ${service}`,
      () =>
        watched.events.all("control-channel-established").filter((it) => it.service === service),
      ({ length }) => length === times,
    );
  const { client, events, service } = watched;
  return {
    client,
    events,
    service,
    update,
    established,
    [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose](),
  };
}

/** A visitor whose stream must go on whatever happens. */
export async function openStream(door: Address) {
  const visitor = await visit(door);
  const works = async () => {
    await writeAll(visitor, X);
    deepEqual(await readBytes(visitor, 1), X);
  };
  await works();
  return { visitor, works, [Symbol.dispose]: () => visitor.close() };
}

/** A service that says who it is, then echoes. */
export function namedService(name: string) {
  return tcpService(async (connection) => {
    await writeAll(connection, bytesOf(name));
    await copy(connection, connection);
    await connection.closeWrite();
  });
}

/** What a visitor is greeted with. */
export const greeting = async (door: Address) => textOf(await ask(door, NOTHING));
