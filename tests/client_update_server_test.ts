/**
 * A running client that goes over to another way to the server, in this process, and updates
 * that are refused.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-run
 *
 * @module
 */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { formatAddress } from "../src/runtime/address.ts";
import { startChild, textFile } from "./support/child.ts";
import {
  greeting,
  namedService,
  NOBODY,
  NOISE,
  openStream,
  RARELY,
  updatable,
  X,
} from "./support/client_updates.ts";
import { accepting, refusedAt } from "./support/doors.ts";
import {
  ask,
  closedByPeer,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, soon } from "./support/patience.ts";
import { ignore, missing, peer } from "./support/peer.ts";
import { freePort } from "./support/ports.ts";
import { relayTo } from "./support/relay.ts";
import { serverFor, TOKEN } from "./support/tunnel.ts";

Deno.test("a new server is reached before the old one is left, and streams live on", async () => {
  await using local = echoService();
  await using before = await serverFor({ it: {} });
  await using after = await serverFor({ it: {} });
  await using client = await updatable(before, { it: local.address });
  const old = await before.door();
  using stream = await openStream(old);
  await client.update(after, { it: local.address });
  equal(formatAddress(client.client.status().server), after.address);
  equal(textOf(await ask(await after.door(), X)), "x");
  await refusedAt(old);
  await stream.works();
  deepEqual(client.events.all("control-channel-lost"), []);
  deepEqual(client.events.all("configuration-updated")[0]?.changes, ["remote_addr"]);
});

Deno.test("while a new server cannot be reached the old one serves by the old way, until it goes", async () => {
  await using local = echoService();
  await using before = await serverFor({ it: {} }, {
    transport: { type: "noise", noise: NOISE.server },
  });
  const noise = { transport: { type: "noise", noise: NOISE.client } } as const;
  await using client = await updatable(before, { it: local.address }, noise);
  const door = await before.door();
  // The server knows before the client does.
  await client.established("it");
  const port = freePort();
  await client.update(`127.0.0.1:${port}`, { it: local.address }, RARELY);
  const { reason, server } = await client.events.until("control-channel-failed");
  equal(server.port, port);
  match(reason, /refused the connection; the control channel from before the update serves on$/);
  // More than the reserve holds: new data channels take the way of their control channel.
  for (let i = 0; i < 20; i++) equal(textOf(await ask(door, X)), "x");
  equal(client.service().state, "established");

  await using after = await serverFor({ it: {} }, { bind_addr: `127.0.0.1:${port}` });
  await before.server[Symbol.asyncDispose]();
  const lost = await client.events.until("control-channel-lost");
  equal(formatAddress(lost.server), before.address);
  await client.established("it", 2);
  equal(textOf(await ask(await after.door(), X)), "x");
});

Deno.test("streams survive a change of transport", async () => {
  await using local = echoService();
  await using before = await serverFor({ it: {} });
  await using after = await serverFor({ it: {} }, {
    transport: { type: "noise", noise: NOISE.server },
  });
  await using client = await updatable(before, { it: local.address });
  using stream = await openStream(await before.door());
  const transport = { type: "noise", noise: NOISE.client } as const;
  await client.update(after, { it: local.address }, { transport });
  equal(textOf(await ask(await after.door(), X)), "x");
  await stream.works();
  deepEqual(client.events.all("configuration-updated")[0]?.changes, ["remote_addr", "transport"]);
});

Deno.test("settings of a transport that is not in use cost no control channel", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: local.address });
  await client.established("it");
  client.events.forget();
  const transport = { type: "tcp", noise: NOISE.client } as const;
  await client.update(server, { it: local.address }, { transport });
  equal(textOf(await ask(await server.door(), X)), "x");
  deepEqual(client.events.all("control-channel-established"), []);
});

Deno.test("while the way to one server changes under load, no visitor is lost", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: local.address });
  const door = await server.door();
  using stream = await openStream(door);
  let running = true;
  let visits = 0;
  const visiting = Promise.all(Array.from({ length: 4 }, async () => {
    for (; running; visits++) equal(textOf(await ask(door, X)), "x");
  }));
  const rounds = 20;
  for (let i = 1; i <= rounds; i++) {
    const transport = { tcp: { keepalive_secs: 20 + i } };
    await client.update(server, { it: local.address }, { transport });
    await client.established("it", i + 1);
  }
  running = false;
  await visiting;
  ok(visits > rounds, `${visits} visits`);
  await stream.works();
  deepEqual(client.events.all("control-channel-lost"), []);
  deepEqual(client.events.all("stream-closed").filter(({ reason }) => reason !== undefined), []);
});

Deno.test("what cannot be used is refused, and everything is as before", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: local.address });
  const door = await server.door();
  using stream = await openStream(door);
  client.events.forget();
  const tls = { type: "tls", tls: { trusted_root: "no/such/file.pem" } } as const;
  await rejects(client.update("no port", { it: local.address }), { code: "config" });
  await rejects(
    client.update(NOBODY, { other: local.address }, { transport: tls, drain_timeout: 0 }),
    { code: "config", message: /no\/such\/file\.pem/ },
  );
  deepEqual(client.events.seen, []);
  equal(formatAddress(client.client.status().server), server.address);
  deepEqual(client.client.status().services.map(({ name }) => name), ["it"]);
  for (let i = 0; i < 20; i++) equal(textOf(await ask(door, X)), "x");
  await stream.works();
  // What comes later is compared with what is in force, not with what was refused.
  await client.update(server, { it: local.address }, { drain_timeout: 1 });
  deepEqual(client.events.all("configuration-updated").map(({ changes }) => changes), [
    ["drain_timeout"],
  ]);
});

Deno.test("updates come into force one after the other, the last one last", async () => {
  await using local = echoService();
  await using server = await serverFor({ a: {}, b: {}, c: {} });
  await using client = await updatable(server, { a: local.address });
  const tls = { type: "tls", tls: { trusted_root: "no/such/file.pem" } } as const;
  const noise = { type: "noise", noise: NOISE.client } as const;
  const [first, second, third] = await Promise.allSettled([
    // Opening this takes longest; were they not in order, it would be the last one.
    client.update(NOBODY, { b: local.address }, { transport: noise }),
    client.update(NOBODY, {}, { transport: tls }),
    client.update(server, { c: local.address }),
  ]);
  deepEqual([first.status, second.status, third.status], ["fulfilled", "rejected", "fulfilled"]);
  await client.established("c");
  deepEqual(client.client.status().services.map(({ name }) => name), ["c"]);
  deepEqual(client.events.all("configuration-updated").map(({ changes }) => changes), [
    ["remote_addr", "transport", "service a removed", "service b added"],
    ["remote_addr", "transport", "service b removed", "service c added"],
  ]);
});

Deno.test("a client that drains or has ended is not updated", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {}, other: {} });
  await using client = await updatable(server, { it: local.address });
  using stream = await openStream(await server.door("it"));
  const drained = client.client.drain();
  const late = () => client.update(server, { other: local.address });
  await rejects(late(), { code: "aborted", message: "the client is draining: nothing to update" });
  await stream.works();
  stream.visitor.closeWrite();
  await drained;
  await rejects(late(), { code: "aborted", message: "the client is stopped: nothing to update" });
  await using stopped = await updatable(server, { it: local.address });
  const updating = stopped.update(server, { other: local.address }, {
    transport: { type: "noise", noise: NOISE.client },
  });
  // It has looked whether the client is running, and is now opening the transport.
  for (let i = 0; i < 3; i++) await Promise.resolve();
  const disposed = stopped.client[Symbol.asyncDispose]();
  await rejects(updating, { code: "aborted" });
  await disposed;
});

Deno.test("a new drain_timeout holds from now on", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: local.address }, { drain_timeout: "1h" });
  using stream = await openStream(await server.door());
  await client.update(server, { it: local.address }, { drain_timeout: "100ms" });
  await soon("the end of draining", client.client.drain());
  await closedByPeer(stream.visitor);
});

Deno.test("a new heartbeat_timeout holds from the next control channel on", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { heartbeat_interval: 0 });
  await using relay = relayTo(server.server.address);
  const at = formatAddress(relay.address);
  await using client = await updatable(at, { it: local.address }, { heartbeat_timeout: 0 });
  await client.established("it");
  await client.update(at, { it: local.address }, { heartbeat_timeout: "300ms" });
  relay.cut("control");
  await client.events.until(
    "control-channel-lost",
    ({ reason }) => /silent for 0.3 s/.test(reason),
  );
});

Deno.test(`at a Rust server services change and sessions are replaced under streams${missing}`, {
  ignore,
  timeout: 60_000,
}, async () => {
  await using before = namedService("before");
  await using after = namedService("after");
  const [remote, a, b] = [freePort(), freePort(), freePort()];
  const doorAt = (port: number) => ({ hostname: "127.0.0.1", port });
  await using file = await textFile(`[server]
bind_addr = "127.0.0.1:${remote}"
default_token = "${TOKEN}"
[server.services.a]
bind_addr = "127.0.0.1:${a}"
[server.services.b]
bind_addr = "127.0.0.1:${b}"
`);
  ok(peer);
  await using _server = startChild(peer, { args: [file.path, "--server"], env: {} });
  const at = `127.0.0.1:${remote}`;
  await accepting(doorAt(remote));
  await using client = await updatable(at, { a: before.address });
  await client.established("a");
  await accepting(doorAt(a));
  using visitor = await visit(doorAt(a));
  equal(textOf(await readBytes(visitor, 6)), "before");

  await client.update(at, { a: after.address, b: before.address });
  await client.established("b");
  equal(await greeting(doorAt(a)), "after");
  await accepting(doorAt(b));
  equal(await greeting(doorAt(b)), "before");

  // A new way to the same server: it lets the new control channel in and drops the old one.
  const transport = { tcp: { keepalive_secs: 30 } };
  await client.update(at, { a: after.address }, { transport });
  await client.established("a", 2);
  await eventually(
    "the new session",
    () => greeting(doorAt(a)).catch(String),
    (it) => it === "after",
  );
  await writeAll(visitor, X);
  deepEqual(await readBytes(visitor, 1), X);
  await refusedAt(doorAt(b));
});
