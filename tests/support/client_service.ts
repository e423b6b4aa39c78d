/**
 * A client's only service without sockets, and servers that let it in or refuse it.
 *
 * @module
 */

import { Service, type ServiceKeys } from "../../src/client/service.ts";
import type { ClientServiceOptions } from "../../src/config/options.ts";
import type { ClientServiceConfig } from "../../src/config/types.ts";
import { readExact } from "../../src/net/read_exact.ts";
import {
  decodeHello,
  encodeAck,
  encodeHello,
  HELLO_LENGTH,
  type HelloKind,
} from "../../src/protocol/messages.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { Secret } from "../../src/runtime/secret.ts";
import { type Connect, TestClient } from "./contexts.ts";
import { type MemoryConnection, memoryPair } from "./memory_connection.ts";
import { follow, until } from "./turns.ts";

type Ack = Parameters<typeof encodeAck>[0];

/** A client's only service, being offered through `connect`. */
export function offering(connect: Connect, options: Partial<ClientServiceOptions> = {}) {
  const client = new TestClient({
    heartbeat_timeout: 0,
    retry_interval: 10,
    services: { web: { local_addr: "127.0.0.1:1", ...options } },
  }, connect);
  const { name, config } = client.service;
  let gaveUp = 0;
  const service = new Service(name, config, client.context, () => gaveUp++);
  const offered = follow(client.context.intake.join());
  return {
    client,
    service,
    offered,
    gaveUp: () => gaveUp,
    /** Changes its configuration, some of its keys, and whether it is offered anew regardless. */
    update(change: Partial<ClientServiceConfig>, anew = false) {
      const keys: ServiceKeys = new Set(Object.keys(change) as (keyof ClientServiceConfig)[]);
      service.update({ ...service.config, ...change }, keys, anew);
    },
    async [Symbol.asyncDispose]() {
      client.context.intake.abort(new RatholeError("aborted", "the test is over"));
      await until(() => offered().state === "fulfilled", "the offer's end");
      await client[Symbol.asyncDispose]();
    },
  };
}

/** A server that is not there. */
export const refuse: Connect = () => Promise.reject(new RatholeError("connect", "refused"));

/** Both ends of a connection. */
export interface Link {
  /** The server's end. */
  readonly server: MemoryConnection;
  /** The client's end. */
  readonly client: MemoryConnection;
}

/** A server that lets every client in, or does not; its ends of control channels, newest last. */
export function welcoming(ends: MemoryConnection[], ack: Ack = "ok"): Connect {
  const control = { push: ({ server }: Link) => ends.push(server) };
  return answering({ control, data: [] }, ack);
}

/** Like {@linkcode welcoming}, with data channels told apart. */
export function answering(
  links: Readonly<Partial<Record<HelloKind, { push(link: Link): unknown }>>>,
  ack: Ack = "ok",
): Connect {
  return () => {
    const [server, client] = memoryPair();
    const greet = async () => {
      const { kind } = decodeHello(await readExact(server, HELLO_LENGTH));
      if (kind === "control") {
        await server.write(encodeHello({ kind: "control", digest: new Uint8Array(32) }));
        await readExact(server, 32);
        await server.write(encodeAck(ack));
      }
      links[kind]?.push({ server, client });
    };
    greet().catch(() => {});
    return Promise.resolve(client);
  };
}

/** Another token. */
export const OTHER_TOKEN: { readonly token: Secret } = { token: new Secret("another") };
