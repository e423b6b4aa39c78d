/**
 * Tunnels whose visitors share carriers, whatever the environment says of them.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import type { Address, CarrierStatus, ServerServiceOptions } from "../../mod.ts";
import { bytesOf, closeQuietly, readBytes, visit, writeAll } from "./local_services.ts";
import { eventually } from "./patience.ts";
import {
  clientFor,
  type PartialClient,
  type PartialServer,
  serverFor,
  type Tunnel,
  tunnelTo,
  type WatchedClient,
  type WatchedServer,
} from "./tunnel.ts";
import { type Wiretap, wiretap } from "./wiretap.ts";

/** What differs from the usual. */
export interface CarriedSettings {
  readonly service?: Partial<ServerServiceOptions>;
  readonly server?: PartialServer;
  readonly client?: PartialClient;
}

/** Resolves when a service has so many carriers at this end. */
export async function carriersAt(
  end: WatchedServer | WatchedClient,
  open: number,
  name?: string,
): Promise<void> {
  await eventually(
    `${open} carriers`,
    () => end.service(name).carriers,
    (now) => now.open === open,
  );
}

/** Resolves when the carriers of a service are as they should be. */
export async function carriersBecome(
  end: WatchedServer | WatchedClient,
  what: Partial<CarrierStatus>,
  name?: string,
): Promise<void> {
  const wanted = Object.entries(what) as [keyof CarrierStatus, number][];
  await eventually(
    `carriers with ${Deno.inspect(what)}`,
    () => end.service(name).carriers,
    (now) => wanted.every(([key, value]) => now[key] === value),
  );
}

/** A tunnel to one local service with so many carriers. */
export async function carried(
  local: Address,
  settings: CarriedSettings = {},
  open = 1,
): Promise<Tunnel> {
  const tunnel = await tunnelTo(local, {
    ...settings,
    server: { carriers: 8, ...settings.server },
    client: { carriers: 1, ...settings.client },
  });
  try {
    await carriersAt(tunnel.server, open);
    await carriersAt(tunnel.client, open);
  } catch (error) {
    await tunnel[Symbol.asyncDispose]();
    throw error;
  }
  return tunnel;
}

/** A tunnel whose connections go through a relay. */
export interface TappedTunnel extends Tunnel {
  readonly tap: Wiretap;
}

/** The same through a relay that can be cut; over plain TCP. */
export async function carriedThrough(
  services: Readonly<Record<string, Address>>,
  { server: atServer, client: atClient, service = {} }: CarriedSettings = {},
): Promise<TappedTunnel> {
  await using stack = new AsyncDisposableStack();
  const names = Object.keys(services);
  const each = Object.fromEntries(names.map((name) => [name, service]));
  const server = stack.use(await serverFor(each, { carriers: 8, ...atServer }));
  const tap = stack.use(wiretap(server.server.address));
  const client = stack.use(
    await clientFor(
      `${tap.address.hostname}:${tap.address.port}`,
      service.type === undefined ? services : Object.fromEntries(
        Object.entries(services).map(([name, { hostname, port }]) =>
          [name, { type: service.type, local_addr: `${hostname}:${port}` }] as const
        ),
      ),
      { carriers: 1, ...atClient },
    ),
  );
  for (const name of names) {
    await carriersAt(server, 1, name);
    await carriersAt(client, 1, name);
  }
  const door = await server.door(names[0]);
  const owned = stack.move();
  return { server, client, tap, door, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Visitors of an echo who stay, each served once already. */
export async function guests(
  door: Address,
  count: number,
): Promise<{ works(): Promise<void>; readonly all: readonly Deno.TcpConn[] } & Disposable> {
  const all = await Promise.all(Array.from({ length: count }, () => visit(door)));
  const works = async () => {
    await Promise.all(all.map(async (visitor, i) => {
      const question = bytesOf(`guest ${i}`);
      await writeAll(visitor, question);
      deepEqual(await readBytes(visitor, question.length), question);
    }));
  };
  await works();
  return { works, all, [Symbol.dispose]: () => all.forEach(closeQuietly) };
}
