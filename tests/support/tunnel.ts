/**
 * A server and a client of ours in this process, on free ports.
 *
 * @module
 */

import {
  type Address,
  type Client,
  type ClientEvent,
  type ClientOptions,
  type ClientServiceOptions,
  type ClientServiceStatus,
  type Server,
  type ServerEvent,
  type ServerOptions,
  type ServerServiceOptions,
  type ServerServiceStatus,
  startClient,
  startServer,
} from "../../mod.ts";
import { equal } from "node:assert/strict";
import { formatAddress } from "../../src/runtime/address.ts";
import { CARRIERS } from "./both_ways.ts";
import { eventually } from "./patience.ts";
import { Watch } from "./watch.ts";

/** The token of tests that are about something else. */
export const TOKEN = "a token of the tests";

/** A server with its events. */
export interface WatchedServer extends AsyncDisposable {
  readonly server: Server;
  readonly events: Watch<ServerEvent>;
  /** Where clients connect, `host:port`. */
  readonly address: string;
  /** A service at this moment; the only one unless named. */
  service(name?: string): ServerServiceStatus;
  /** Where a service's visitors connect, once they can. */
  door(name?: string): Promise<Address>;
}

/** A client with its events. */
export interface WatchedClient extends AsyncDisposable {
  readonly client: Client;
  readonly events: Watch<ClientEvent>;
  /** A service at this moment; the only one unless named. */
  service(name?: string): ClientServiceStatus;
}

/** Server options with the usual ones left out. */
export type PartialServer = Partial<ServerOptions>;
/** Client options with the usual ones left out. */
export type PartialClient = Partial<ClientOptions>;

/** A server on a free port; its services too, unless told otherwise. */
export async function serverFor(
  services: Readonly<Record<string, Partial<ServerServiceOptions>>>,
  options: PartialServer = {},
): Promise<WatchedServer> {
  const complete = Object.entries(services).map(([name, service]) =>
    [name, { bind_addr: "127.0.0.1:0", ...service }] as const
  );
  const server = await startServer({
    bind_addr: "127.0.0.1:0",
    default_token: TOKEN,
    ...CARRIERS,
    ...options,
    services: new Map(complete),
  });
  const events = new Watch(server.events());
  const service = (name?: string) => pick(server.status().services, name);
  return {
    server,
    events,
    address: formatAddress(server.address),
    service,
    async door(name) {
      const { address } = await eventually(
        `the door of ${name}`,
        () => service(name),
        ({ address }) => address !== undefined,
      );
      if (address === undefined) throw new Error("unreachable");
      return address;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await events.ended;
      assertNoFault(events.seen);
    },
  };
}

/** A client of a server; services are named with where they listen locally. */
export async function clientFor(
  remote: WatchedServer | string,
  services: Readonly<Record<string, ClientServiceOptions | Address>>,
  options: PartialClient = {},
): Promise<WatchedClient> {
  const complete = Object.entries(services).map(([name, service]) =>
    [name, "port" in service ? { local_addr: formatAddress(service) } : service] as const
  );
  const client = await startClient({
    remote_addr: typeof remote === "string" ? remote : remote.address,
    default_token: TOKEN,
    ...CARRIERS,
    ...options,
    services: new Map(complete),
  });
  const events = new Watch(client.events());
  return {
    client,
    events,
    service: (name) => pick(client.status().services, name),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await events.ended;
      assertNoFault(events.seen);
    },
  };
}

/** Both ends of one tunnel. */
export interface Tunnel extends AsyncDisposable {
  readonly server: WatchedServer;
  readonly client: WatchedClient;
  /** Where the visitors of the first service connect. */
  readonly door: Address;
}

/** A tunnel to one local service, of type tcp unless told otherwise, that visitors can use. */
export async function tunnelTo(local: Address, settings: {
  readonly service?: Partial<ServerServiceOptions>;
  readonly server?: PartialServer;
  readonly client?: PartialClient;
} = {}): Promise<Tunnel> {
  const { type = "tcp" } = settings.service ?? {};
  const server = await serverFor({ it: { ...settings.service } }, settings.server);
  const client = await clientFor(
    server,
    { it: { type, local_addr: formatAddress(local) } },
    settings.client,
  );
  return {
    server,
    client,
    door: await server.door(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function pick<S extends { readonly name: string }>(all: readonly S[], name?: string): S {
  const found = name === undefined ? all[0] : all.find((service) => service.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

function assertNoFault(events: readonly { readonly type: string }[]): void {
  equal(Deno.inspect(events.filter(({ type }) => type === "fault")), "[]");
}
