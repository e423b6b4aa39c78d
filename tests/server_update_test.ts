/**
 * A running server that goes over to another configuration, in this process.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import type { Address, ServerOptions, ServerServiceOptions } from "../mod.ts";
import { CARRIERS } from "./support/both_ways.ts";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { refusedAt } from "./support/doors.ts";
import {
  ask,
  bytesOf,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { freePort } from "./support/ports.ts";
import { clientFor, serverFor, TOKEN } from "./support/tunnel.ts";

const RETRY = { retry_interval: "50ms" } as const;
const X = bytesOf("x");

/** A server's configuration as `serverFor` would have it. */
function configuration(
  services: Readonly<Record<string, Partial<ServerServiceOptions>>>,
  options: Partial<ServerOptions> = {},
): ServerOptions {
  const complete = Object.entries(services).map(([name, service]) =>
    [name, { bind_addr: "127.0.0.1:0", ...service }] as const
  );
  return {
    bind_addr: "127.0.0.1:0",
    default_token: TOKEN,
    ...CARRIERS,
    ...options,
    services: new Map(complete),
  };
}

const at = (port: number) => ({ hostname: "127.0.0.1", port });

/** A visitor whose stream must go on whatever happens. */
async function openStream(door: Address) {
  const visitor = await visit(door);
  const works = async () => {
    await writeAll(visitor, X);
    deepEqual(await readBytes(visitor, 1), X);
  };
  await works();
  return { works, [Symbol.dispose]: () => visitor.close() };
}

Deno.test("the same configuration again is no update", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  server.events.forget();
  await server.server.update(configuration({ it: {} }));
  await stream.works();
  deepEqual(server.events.all("configuration-updated"), []);
});

Deno.test("services come and go; others keep their client, their door and their streams", async () => {
  await using local = echoService();
  await using server = await serverFor({ stays: {}, goes: {} });
  const both = { stays: local.address, goes: local.address, comes: local.address };
  await using _client = await clientFor(server, both, RETRY);
  const door = await server.door("stays");
  const gone = await server.door("goes");
  using stream = await openStream(door);
  using orphan = await openStream(gone);
  server.events.forget();
  await server.server.update(configuration({ stays: {}, comes: {} }));
  deepEqual(server.events.all("configuration-updated").map(({ changes }) => changes), [
    ["service goes removed", "service comes added"],
  ]);
  await refusedAt(gone);
  equal(textOf(await ask(await server.door("comes"), X)), "x");
  deepEqual(server.server.status().services.map(({ name }) => name), ["stays", "comes"]);
  await stream.works();
  await orphan.works();
  deepEqual(server.service("stays").address, door);
  const lost = server.events.all("control-channel-lost");
  deepEqual(lost.map(({ service }) => service), ["goes"]);
  match(lost[0]?.reason ?? "", /the configuration has the service no longer/);
  // Who still asks for it is told that it is unknown.
  await server.events.until("handshake-failed", ({ reason }) => /not configured/.test(reason));
});

Deno.test("a new token has the client prove itself again and keeps open streams", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {}, other: {} });
  await using client = await clientFor(server, {
    it: local.address,
    other: local.address,
  }, RETRY);
  using stream = await openStream(await server.door("it"));
  server.events.forget();
  await server.server.update(configuration({ it: { token: "another token" }, other: {} }));
  await server.events.until("handshake-failed", ({ reason }) => /wrong token/.test(reason));
  equal(server.service("it").client, undefined);
  await stream.works();
  deepEqual(server.events.all("control-channel-lost").map(({ service }) => service), ["it"]);
  await client.client.update({
    remote_addr: server.address,
    default_token: TOKEN,
    ...RETRY,
    services: {
      it: { local_addr: `127.0.0.1:${local.address.port}`, token: "another token" },
      other: { local_addr: `127.0.0.1:${local.address.port}` },
    },
  });
  equal(textOf(await ask(await server.door("it"), X)), "x");
  await stream.works();
});

Deno.test("a service's new address is opened before the old one is closed; its client stays", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  const old = await server.door();
  using stream = await openStream(old);
  server.events.forget();
  const port = freePort();
  await server.server.update(configuration({ it: { bind_addr: `127.0.0.1:${port}` } }));
  equal(textOf(await ask(at(port), X)), "x");
  await refusedAt(old);
  await stream.works();
  deepEqual(server.service().address, at(port));
  deepEqual(server.events.all("control-channel-lost"), []);
  deepEqual(server.events.all("service-listening").map(({ address }) => address), [at(port)]);
});

Deno.test("an update that cannot listen is refused as a whole, and everything is as before", async () => {
  await using local = echoService();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await serverFor({ it: {}, moves: {} });
  await using _client = await clientFor(server, {
    it: local.address,
    moves: local.address,
    added: local.address,
  }, RETRY);
  const doors = [await server.door("it"), await server.door("moves")];
  using stream = await openStream(await server.door("it"));
  const before = server.server.status().services.map(({ name, address }) => ({ name, address }));
  server.events.forget();
  const free = freePort();
  const refused = server.server.update(configuration({
    moves: { bind_addr: `127.0.0.1:${free}` },
    it: { bind_addr: `127.0.0.1:${taken.addr.port}`, token: "another" },
    added: {},
  }));
  await rejects(refused, { name: "RatholeError", code: "bind" });
  deepEqual(
    server.server.status().services.map(({ name, address }) => ({ name, address })),
    before,
  );
  for (const door of doors) equal(textOf(await ask(door, X)), "x");
  await stream.works();
  await refusedAt(at(free));
  deepEqual(server.events.all("control-channel-lost"), []);
  deepEqual(server.events.all("configuration-updated"), []);
});

Deno.test("services may swap ports, and take that of one that goes", async () => {
  await using local = echoService();
  const [one, two, three] = [freePort(), freePort(), freePort()];
  const on = (port: number) => ({ bind_addr: `127.0.0.1:${port}` });
  await using server = await serverFor({ a: on(one), b: on(two), goes: on(three) });
  const { address } = local;
  await using _client = await clientFor(server, { a: address, b: address, goes: address }, RETRY);
  for (const name of ["a", "b", "goes"]) await server.door(name);
  server.events.forget();
  await server.server.update(configuration({ a: on(two), b: on(one), goes: on(three) }));
  deepEqual(server.service("a").address, at(two));
  deepEqual(server.service("b").address, at(one));
  await server.server.update(configuration({ a: on(three), b: on(one) }));
  deepEqual(server.service("a").address, at(three));
  for (const port of [one, three]) equal(textOf(await ask(at(port), X)), "x");
  await refusedAt(at(two));
  deepEqual(server.events.all("control-channel-lost").map(({ service }) => service), ["goes"]);
});

Deno.test("what had to make way in vain is open again", async () => {
  await using local = echoService();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [one, two] = [freePort(), freePort()];
  const on = (port: number) => ({ bind_addr: `127.0.0.1:${port}` });
  await using server = await serverFor({ a: on(one), b: on(two) });
  await using _client = await clientFor(server, { a: local.address, b: local.address }, RETRY);
  for (const name of ["a", "b"]) await server.door(name);
  const refused = server.server.update(configuration({ a: on(two), b: on(taken.addr.port) }));
  await rejects(refused, { code: "bind" });
  for (const [name, port] of [["a", one], ["b", two]] as const) {
    deepEqual(await server.door(name), at(port));
    equal(textOf(await ask(at(port), X)), "x");
  }
});

Deno.test("a narrower address at the same port takes the wider one's place", async () => {
  await using local = echoService();
  const port = freePort();
  await using server = await serverFor({ it: { bind_addr: `0.0.0.0:${port}` } });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  await server.door();
  await server.server.update(configuration({ it: { bind_addr: `127.0.0.1:${port}` } }));
  deepEqual(server.service().address, at(port));
  equal(textOf(await ask(at(port), X)), "x");
});

Deno.test("a service that changes its type is made anew", async () => {
  await using local = echoService();
  await using udp = await udpEcho();
  await using server = await serverFor({ it: {} });
  await using client = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  server.events.forget();
  await server.server.update(configuration({ it: { type: "udp" } }));
  await server.events.until("control-channel-lost");
  await client.client.update({
    remote_addr: server.address,
    default_token: TOKEN,
    ...RETRY,
    services: { it: { type: "udp", local_addr: `127.0.0.1:${udp.address.port}` } },
  });
  await eventually(
    "the new kind",
    () => server.service(),
    (it) => it.type === "udp" && it.address !== undefined,
  );
  await using visitor = await udpSocket();
  const reply = await askDatagram(visitor, X, await server.door());
  deepEqual(reply, X);
  await stream.works();
});

Deno.test("a UDP service moves, and takes other numbers of channels, with its client", async () => {
  await using local = await udpEcho();
  await using server = await serverFor({ it: { type: "udp" } });
  const service = { type: "udp", local_addr: `127.0.0.1:${local.address.port}` } as const;
  await using _client = await clientFor(server, { it: service }, RETRY);
  await using visitor = await udpSocket();
  deepEqual(await askDatagram(visitor, X, await server.door()), X);
  const port = freePort();
  server.events.forget();
  const moved = { type: "udp", bind_addr: `127.0.0.1:${port}` } as const;
  await server.server.update(configuration({ it: moved }));
  deepEqual(await askDatagram(visitor, X, at(port)), X);
  await server.server.update(configuration({ it: { ...moved, udp_data_channels: 4 } }));
  deepEqual(await askDatagram(visitor, X, at(port)), X);
  const inUse = () => {
    const { carriers, dataChannelsInUse } = server.service();
    return carriers.streams + dataChannelsInUse;
  };
  await eventually("4 channels", inUse, (n) => n === 4);
  await server.server.update(configuration({ it: moved }));
  deepEqual(await askDatagram(visitor, X, at(port)), X);
  await eventually("1 channel", inUse, (n) => n === 1);
  deepEqual(server.events.all("control-channel-lost"), []);
});

Deno.test("a new main address is opened first; clients that stay at the old one are let go", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  const old = server.server.address;
  await using first = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  const port = freePort();
  await server.server.update(configuration({ it: {} }, { bind_addr: `127.0.0.1:${port}` }));
  deepEqual(server.server.address, at(port));
  await refusedAt(old);
  await first.events.until("control-channel-failed");
  await stream.works();
  await using _second = await clientFor(`127.0.0.1:${port}`, { it: local.address }, RETRY);
  equal(textOf(await ask(await server.door(), X)), "x");
  await stream.works();
});

Deno.test("a main address that is taken is refused, and clients notice nothing", async () => {
  await using local = echoService();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = await serverFor({ it: {} });
  const { address } = server.server;
  await using client = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  client.events.forget();
  const wanted = configuration({ it: {} }, { bind_addr: `127.0.0.1:${taken.addr.port}` });
  await rejects(server.server.update(wanted), { code: "bind" });
  deepEqual(server.server.address, address);
  equal(textOf(await ask(await server.door(), X)), "x");
  await stream.works();
  await using _another = await clientFor(server, { it: local.address }, RETRY);
  await client.events.until("control-channel-lost", ({ reason }) => /./.test(reason));
});

Deno.test("another transport at the same address: streams survive, clients come anew", async () => {
  await using local = echoService();
  const port = freePort();
  const bind_addr = `127.0.0.1:${port}`;
  await using server = await serverFor({ it: {} }, { bind_addr });
  await using plain = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  const transport = { type: "websocket", websocket: { tls: false } } as const;
  await server.server.update(configuration({ it: {} }, { bind_addr, transport }));
  await plain.events.until("control-channel-lost");
  await stream.works();
  await plain.client.update({
    remote_addr: bind_addr,
    default_token: TOKEN,
    ...RETRY,
    transport,
    services: { it: { local_addr: `127.0.0.1:${local.address.port}` } },
  });
  equal(textOf(await ask(await server.door(), X)), "x");
  await stream.works();
});

Deno.test("a transport that cannot be opened is refused, and the one before goes on", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  server.events.forget();
  const tls = { pkcs12: "no/such/file.pfx", pkcs12_password: "x" };
  const wanted = configuration({ it: {} }, { transport: { type: "tls", tls } });
  await rejects(server.server.update(wanted), /no\/such\/file\.pfx/);
  await rejects(server.server.update(configuration({ it: { bind_addr: "nowhere" } })));
  equal(textOf(await ask(await server.door(), X)), "x");
  await stream.works();
  deepEqual(server.events.all("control-channel-lost"), []);
});

Deno.test("settings of the sockets below change for what comes, and cost nobody anything", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  const { address } = server.server;
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  using stream = await openStream(await server.door());
  server.events.forget();
  const transport = { type: "tcp", tcp: { nodelay: false, keepalive_secs: 7 } } as const;
  await server.server.update(configuration({ it: {} }, { transport }));
  deepEqual(server.server.address, address);
  await stream.works();
  equal(textOf(await ask(await server.door(), X)), "x");
  deepEqual(server.events.all("control-channel-lost"), []);
});

Deno.test("limits and times of the block count from now on", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { drain_timeout: "1h" });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  using _stream = await openStream(await server.door());
  await server.server.update(configuration({ it: {} }, { max_data_channels: 1, drain_timeout: 0 }));
  server.events.forget();
  // The stream that is open is the one; drain_timeout = 0 cuts it.
  await server.server.drain();
  await rejects(server.server.update(configuration({ it: {} })), { code: "aborted" });
});

Deno.test("updates come into force one after the other, the last one last", async () => {
  await using server = await serverFor({ it: {} });
  const updates = Array.from(
    { length: 20 },
    (_, i) => server.server.update(configuration({ [`number ${i}`]: {} })),
  );
  const broken = server.server.update(configuration({ it: { bind_addr: "" } }));
  const last = server.server.update(configuration({ last: {} }));
  await Promise.all(updates);
  await rejects(broken, { name: "ConfigError" });
  await last;
  deepEqual(server.server.status().services.map(({ name }) => name), ["last"]);
  equal(server.events.all("configuration-updated").length, 21);
});

Deno.test("an update while the server is stopped leaves nothing behind", async () => {
  await using local = echoService();
  const port = freePort();
  const server = await serverFor({ it: {} });
  await using _client = await clientFor(server, { it: local.address }, RETRY);
  const door = await server.door();
  const updating = server.server.update(
    configuration({ it: { bind_addr: `127.0.0.1:${port}` } }, { bind_addr: "127.0.0.1:0" }),
  ).then(() => "updated", ({ code }) => code);
  await server[Symbol.asyncDispose]();
  ok(["updated", "aborted"].includes(await updating));
  await refusedAt(at(port));
  await refusedAt(door);
  notEqual(port, door.port);
});
