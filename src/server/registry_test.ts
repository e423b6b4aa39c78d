import assert from "node:assert/strict";
import { sessionCarriers } from "../../tests/support/carrier_pair.ts";
import { TestServer } from "../../tests/support/contexts.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { serviceDigest } from "../protocol/auth.ts";
import type { Address } from "../runtime/address.ts";
import { Registry } from "./registry.ts";
import { Session } from "./session.ts";

function session(server: TestServer, key: Uint8Array, poolTarget = 0, via?: Address): Session {
  return new Session({
    connection: memoryPair()[1],
    via,
    key,
    heartbeatInterval: () => 0,
    received: () => 0,
    reserve: { least: poolTarget, most: poolTarget },
    poolLimit: 100,
    carriers: sessionCarriers(server.context.streams),
    scope: server.context.intake.child(),
    clock: server.clock,
  });
}

Deno.test("services are found by the digest of their literal name, in the order of the configuration", async () => {
  const names = ["web", "", "a.b", "constructor", "__proto__", "🐀"];
  await using server = new TestServer({
    services: new Map(names.map((name) => [name, { bind_addr: "127.0.0.1:0" }])),
  });
  await server.addServices();
  const { registry } = server;
  for (const name of names) {
    assert.equal(registry.serviceOf(await serviceDigest(name))?.name, name);
  }
  assert.equal(registry.serviceOf(await serviceDigest("Web")), undefined);
  assert.equal(registry.serviceOf(new Uint8Array(32)), undefined);
  assert.deepEqual(registry.services.map(({ name }) => name), names);
});

Deno.test("sessions are found by the whole key and no longer once deleted", async () => {
  await using server = new TestServer();
  const registry = new Registry();
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const one = session(server, key);
  registry.addSession(one);
  assert.equal(registry.sessionOf(key.slice()), one);
  for (const at of [0, 15, 16, 31]) {
    const other = key.slice();
    other[at] = 99;
    assert.equal(registry.sessionOf(other), undefined);
  }
  registry.deleteSession(one);
  assert.equal(registry.sessionOf(key), undefined);
});

Deno.test("expectations are those of all sessions, and of one address", async () => {
  await using server = new TestServer();
  const registry = new Registry();
  const first = session(server, new Uint8Array(32).fill(1), 3);
  registry.addSession(first);
  registry.addSession(session(server, new Uint8Array(32).fill(2), 4));
  assert.equal(registry.total(), 7);
  assert.equal(registry.from(first.peer.hostname), 7);
  assert.equal(registry.from("192.0.2.99"), 0);
  const proxy = { hostname: "192.0.2.99", port: 443 };
  registry.addSession(session(server, new Uint8Array(32).fill(3), 2, proxy));
  assert.equal(registry.from(proxy.hostname), 2, "those behind a proxy come from its address");
  registry.deleteSession(first);
  assert.equal(registry.total(), 6);
});
