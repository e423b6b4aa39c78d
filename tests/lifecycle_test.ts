/**
 * Restarts, displacement, giving up: ends that come and go, in this process.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { formatAddress } from "../src/runtime/address.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  readToEnd,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { refusedAt } from "./support/doors.ts";
import { eventually, pause, soon } from "./support/patience.ts";
import { rawClient } from "./support/raw.ts";
import { relayTo } from "./support/relay.ts";
import { APART } from "./support/ports.ts";
import { clientFor, serverFor } from "./support/tunnel.ts";

const NOTHING = new Uint8Array(0);
const RETRY = { retry_interval: "100ms" } as const;

Deno.test("a server that restarts gets its clients back", async () => {
  await using local = echoService();
  const first = await serverFor({ it: {} });
  const { address } = first;
  await using client = await clientFor(first, { it: local.address }, RETRY);
  await first.door();
  await first[Symbol.asyncDispose]();
  const lost = await client.events.until("control-channel-lost");
  match(lost.reason, /the peer .* the connection/);
  ok(lost.retryIn <= 100);
  const failed = await client.events.until("control-channel-failed");
  match(failed.reason, /refused the connection/);
  await using second = await serverFor({ it: {} }, { bind_addr: address });
  equal(textOf(await ask(await second.door(), bytesOf("again"))), "again");
  equal(client.service().state, "established");
});

Deno.test("a service's port is closed once its client is gone, and opened for the next", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: { bind_addr: APART } });
  for (let round = 0; round < 3; round++) {
    server.events.forget();
    const client = await clientFor(server, { it: local.address });
    const door = await server.door();
    equal(textOf(await ask(door, bytesOf("x"))), "x");
    await client[Symbol.asyncDispose]();
    await server.events.until("control-channel-lost", () => true, 1000);
    await refusedAt(door);
  }
  await eventually("nobody", () => server.server.status().connections, (n) => n === 0);
});

Deno.test("a visitor that waits for a data channel is closed when its client goes", async () => {
  await using server = await serverFor({ it: {} });
  const client = await rawClient(server.server.address);
  using visitor = await visit(await server.door());
  client.control.close();
  await closedByPeer(visitor);
  await eventually("nobody", () => server.server.status().connections, (n) => n === 0);
});

Deno.test("the newest control channel wins, and the log says who was displaced by whom", async () => {
  await using first = tcpService((connection) => writeAll(connection, bytesOf("first")));
  await using second = tcpService((connection) => writeAll(connection, bytesOf("second")));
  await using server = await serverFor({ it: {} }, { carriers: 0 });
  await using loser = await clientFor(server, { it: first.address }, { retry_interval: "1h" });
  const door = await server.door();
  equal(textOf(await ask(door, NOTHING)), "first");
  const old = server.service().client;
  await using _winner = await clientFor(server, { it: second.address });
  const { peer, reason } = await server.events.until("control-channel-lost");
  deepEqual(peer, old);
  match(reason, /^displaced by a newer client at 127\.0\.0\.1:\d+$/);
  await loser.events.until("control-channel-lost");
  equal(textOf(await ask(door, NOTHING)), "second");
  deepEqual(server.service().address, door, "the door stays open");
  const { dataChannelsIdle } = server.service();
  ok(
    dataChannelsIdle === 8 || dataChannelsIdle === 9,
    "the winner's, one more where a visitor waited",
  );
});

Deno.test("open streams survive the loss of their control channel", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using relay = relayTo(server.server.address);
  await using client = await clientFor(formatAddress(relay.address), { it: local.address }, RETRY);
  using visitor = await visit(await server.door());
  await writeAll(visitor, bytesOf("before"));
  equal(textOf(await readBytes(visitor, 6)), "before");
  relay.cut("control");
  await server.events.until("control-channel-lost");
  await client.events.until("control-channel-lost");
  await writeAll(visitor, bytesOf("after"));
  equal(textOf(await readBytes(visitor, 5)), "after");
  equal(textOf(await ask(await server.door(), bytesOf("new"))), "new");
  await visitor.closeWrite();
  equal((await readToEnd(visitor)).length, 0);
});

Deno.test("both ends notice a connection that has gone silent, and go on afterwards", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { heartbeat_interval: "100ms" });
  await using relay = relayTo(server.server.address);
  await using client = await clientFor(formatAddress(relay.address), { it: local.address }, {
    ...RETRY,
    heartbeat_timeout: "2s",
  });
  await server.door();
  // Longer than either end would wait without heartbeats, and wide enough for a loaded machine.
  await pause(2500);
  deepEqual(server.events.all("control-channel-lost"), [], "heartbeats keep it alive");
  relay.fallSilent();
  const [here, there] = await Promise.all([
    server.events.until("control-channel-lost"),
    client.events.until("control-channel-lost"),
  ]);
  match(here.reason, /^the client was silent for 2 s$/);
  match(there.reason, /^the server was silent for 2 s$/);
  equal(server.service().address, undefined);
});

Deno.test("without heartbeats a silent connection is kept", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { heartbeat_interval: 0 });
  await using client = await clientFor(server, { it: local.address }, { heartbeat_timeout: 0 });
  await server.door();
  await pause(300);
  equal(textOf(await ask(await server.door(), bytesOf("x"))), "x");
  equal(client.events.all("control-channel-lost").length, 0);
});

Deno.test("a client gives up after max_retries, and says of what", async () => {
  await using local = echoService();
  const { hostname, port } = local.address;
  await using server = await serverFor({ good: {}, bad: {} });
  await using client = await clientFor(server, {
    bad: { local_addr: `${hostname}:${port}`, token: "wrong", max_retries: 2 },
    good: local.address,
  }, { retry_interval: "50ms" });
  const { reason } = await client.events.until("gave-up");
  equal(
    reason,
    'after max_retries = 2: the server refused the token of service "bad"; ' +
      "both ends need the same one",
  );
  equal(client.events.all("control-channel-failed").length, 2);
  equal(client.service("bad").state, "gave-up");
  equal(textOf(await ask(await server.door("good"), bytesOf("x"))), "x");
  const refused = server.events.all("handshake-failed");
  equal(refused.length, 3);
  for (const event of refused) {
    equal(event.reason, 'the client has a wrong token for service "bad"');
  }
});

Deno.test("a client whose services have all given up ends, and says so", async () => {
  await using server = await serverFor({ it: {} });
  await using client = await clientFor(server, {
    unknown: { local_addr: "127.0.0.1:1" },
    unknown_too: { local_addr: "127.0.0.1:1", type: "udp" },
  }, { retry_interval: "50ms", max_retries: 1 });
  await rejects(soon("the end", client.client.closed), {
    code: "exhausted",
    message: /^all services have given up \(unknown: the server does not know service "unknown"/,
  });
  equal(client.client.status().state, "stopped");
  const { reason } = await server.events.until("handshake-failed");
  equal(reason, "the client asked for a service that is not configured; its log has the name");
});

Deno.test("a service whose port is taken is served once it is free", async () => {
  await using local = echoService();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bind_addr = formatAddress(taken.addr);
  await using server = await serverFor({ it: { bind_addr }, other: {} });
  await using _client = await clientFor(server, { it: local.address, other: local.address });
  const { reason, retryIn } = await server.events.until("service-bind-failed");
  equal(
    reason,
    `cannot listen on ${bind_addr}: the address is in use by another program or service`,
  );
  ok(retryIn > 0 && retryIn < 1000);
  equal(textOf(await ask(await server.door("other"), bytesOf("x"))), "x");
  taken.close();
  equal(textOf(await ask(await server.door("it"), bytesOf("x"))), "x");
});

Deno.test("a server whose own address is taken does not start", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bind_addr = formatAddress(taken.addr);
  await rejects(serverFor({ it: {} }, { bind_addr }), {
    code: "bind",
    message: `cannot listen on ${bind_addr}: the address is in use by another program or service`,
  });
  await rejects(serverFor({ it: {} }, { bind_addr: "nowhere.invalid:0" }), {
    name: "RatholeError",
  });
});
