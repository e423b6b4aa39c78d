/**
 * A service without clients of its own: a test makes the sessions that offer it.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ServerOptions } from "../../src/config/options.ts";
import { Service } from "../../src/server/service.ts";
import { Session } from "../../src/server/session.ts";
import { TestServer } from "./contexts.ts";
import { memoryPair } from "./memory_connection.ts";

/** The only service of a server; `offer` makes a client that offers it, with no reserve. */
export function offeringOnly(options: Partial<ServerOptions>) {
  const server = new TestServer(options);
  const [entry] = server.context.config.services;
  assert.ok(entry);
  const service = new Service(...entry, server.context);
  const offer = () => {
    const [client, connection] = memoryPair();
    const session = new Session({
      connection,
      key: new Uint8Array(32),
      heartbeatInterval: () => 0,
      received: () => 0,
      reserve: { least: 0, most: 0 },
      poolLimit: server.context.config.max_data_channels,
      carriers: service.carriers(client.peer),
      scope: server.context.intake.child(),
      clock: server.clock,
    });
    server.context.intake.run(() => service.offerThrough(session));
    return { client, session };
  };
  return { server, service, offer, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
