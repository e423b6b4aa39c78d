import assert from "node:assert/strict";
import { TestClient } from "../../tests/support/contexts.ts";
import { pattern, readAll } from "../../tests/support/connection_contract.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { ANYWHERE, socketOptions } from "../../tests/support/tcp_pair.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { zeroCounters } from "./counters.ts";
import { TcpForwarder } from "./tcp_forwarder.ts";

/** Forwards channels to a local address. */
function forwarding(local: Address) {
  let at = local;
  const client = new TestClient(
    { services: { web: { local_addr: "127.0.0.1:1" } } },
    () => Promise.reject(new Error("nothing is dialled")),
  );
  const counters = zeroCounters();
  const { name } = client.service;
  const { context } = client;
  const scope = context.intake.child();
  const forwarder = new TcpForwarder({
    name,
    local: () => at,
    counters,
    scope,
    context,
  });
  const open = () => {
    const [server, channel] = memoryPair();
    return { server, channel, forwarded: follow(forwarder.forward(channel)) };
  };
  const move = (to: Address) => void (at = to);
  return {
    client,
    counters,
    open,
    move,
    scope,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

Deno.test("a channel becomes a connection to the service, half-closes included", async () => {
  using service = new TcpListener(ANYWHERE, socketOptions());
  await using f = forwarding(service.address);
  const { server, forwarded } = f.open();
  using local = await service.accept();
  await server.write(pattern(700));
  await server.closeWrite();
  assert.deepEqual(await readAll(local), pattern(700));
  assert.equal(f.counters.visitors, 1);
  await local.write(pattern(20_000));
  await local.closeWrite();
  assert.deepEqual(await readAll(server), pattern(20_000));
  await until(() => forwarded().state === "fulfilled", "the end");
  await turn();
  assert.deepEqual(f.client.events.all, [
    { type: "stream-opened", service: "web" },
    { type: "stream-closed", service: "web", reason: undefined },
  ]);
  assert.deepEqual(f.counters, {
    ...zeroCounters(),
    forward: { bytes: 700 },
    backward: { bytes: 20_000 },
    visitorsTotal: 1,
  });
});

Deno.test("a service that is not there is told, and the visitor's channel closed", async () => {
  const service = new TcpListener(ANYWHERE, socketOptions());
  service.close();
  await turn();
  await using f = forwarding(service.address);
  const { server, channel, forwarded } = f.open();
  await until(() => forwarded().state === "fulfilled", "the end");
  assert.ok(channel.aborted);
  assert.equal(await server.read(), null);
  assert.deepEqual(f.client.events.of("local-unreachable").map(({ reason }) => reason), [
    `127.0.0.1:${service.address.port} refused the connection`,
  ]);
  assert.equal(f.counters.visitorsFailed, 1);
});

Deno.test("what cuts a stream is told as its reason", async () => {
  using service = new TcpListener(ANYWHERE, socketOptions());
  await using f = forwarding(service.address);
  const { server, forwarded } = f.open();
  using local = await service.accept();
  server.reset();
  await until(() => forwarded().state === "fulfilled", "the end");
  await turn();
  assert.deepEqual(f.client.events.of("stream-closed").map(({ reason }) => reason), [
    "the peer reset the connection",
  ]);
  assert.equal(await local.read(), null);
  assert.equal(f.counters.visitors, 0);
});

Deno.test("a stop of the streams cuts the service's side too", async () => {
  using service = new TcpListener(ANYWHERE, socketOptions());
  await using f = forwarding(service.address);
  const { forwarded } = f.open();
  using local = await service.accept();
  await until(() => f.counters.visitors === 1, "the stream");
  f.client.context.streams.abort(new RatholeError("aborted", "the client was stopped"));
  await until(() => forwarded().state === "fulfilled", "the end");
  assert.equal(await local.read(), null);
});

Deno.test("a service that moves gets new visitors at its new address, the old ones stay", async () => {
  using before = new TcpListener(ANYWHERE, socketOptions());
  using after = new TcpListener(ANYWHERE, socketOptions());
  await using f = forwarding(before.address);
  const first = f.open();
  using old = await before.accept();
  f.move(after.address);
  const second = f.open();
  using local = await after.accept();
  for (const [end, { server }] of [[old, first], [local, second]] as const) {
    await end.write(pattern(9));
    await end.closeWrite();
    assert.deepEqual(await readAll(server), pattern(9));
    server.abort();
  }
});
