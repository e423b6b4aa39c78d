/**
 * Several services and clients, names and tokens, what status and events say.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { startClient, startServer } from "../mod.ts";
import { formatAddress } from "../src/runtime/address.ts";
import {
  ask,
  bytesOf,
  echoService,
  tcpService,
  textOf,
  writeAll,
} from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { clientFor, serverFor, TOKEN, tunnelTo } from "./support/tunnel.ts";

/** A service that says who it is. */
function namedService(name: string) {
  return tcpService((connection) => writeAll(connection, bytesOf(name)));
}

const NOTHING = new Uint8Array(0);

Deno.test("any text is a service's name, and leads to that service", async () => {
  const names = [
    "a",
    "a.b",
    "a b",
    "constructor",
    "__proto__",
    "toString",
    "ünï ☃ 𝄞",
    "",
    "x".repeat(300),
    'quote " and \\ back',
    "line\nbreak",
    "{braces}",
  ];
  const locals = names.map((name) => ({ name, local: namedService(name) }));
  await using all = new AsyncDisposableStack();
  for (const { local } of locals) all.use(local);
  await using server = await serverForMap(names);
  await using client = await startClient({
    remote_addr: formatAddress(server.address),
    default_token: TOKEN,
    services: new Map(
      locals.map(({ name, local }) => [name, { local_addr: formatAddress(local.address) }]),
    ),
  });
  const doors = await eventually(
    "all doors",
    () => server.status().services,
    (services) => services.every(({ address }) => address !== undefined),
  );
  for (const { name, address } of doors) {
    ok(address !== undefined);
    equal(textOf(await ask(address, NOTHING)), name);
  }
  deepEqual(client.status().services.map(({ name }) => name), names);
});

function serverForMap(names: readonly string[]) {
  return startServer({
    bind_addr: "127.0.0.1:0",
    default_token: TOKEN,
    services: new Map(names.map((name) => [name, { bind_addr: "127.0.0.1:0" }])),
  });
}

Deno.test("tokens are taken literally, each service its own", async () => {
  const tokens = { empty: "", spaces: "  a  ", unicode: "pässwörd ☃", long: "x".repeat(10_000) };
  await using local = echoService();
  const { hostname, port } = local.address;
  const services = Object.entries(tokens).map(([name, token]) => [name, { token }] as const);
  await using server = await serverFor(Object.fromEntries(services));
  await using _client = await clientFor(
    server,
    Object.fromEntries(
      services.map(([name, { token }]) => [name, { token, local_addr: `${hostname}:${port}` }]),
    ),
  );
  for (const name of Object.keys(tokens)) {
    equal(textOf(await ask(await server.door(name), bytesOf(name))), name);
  }
  for (const wrong of ["a", " a", "  a   ", "  A  "]) {
    await using intruder = await clientFor(server, {
      spaces: { token: wrong, local_addr: `${hostname}:${port}` },
    });
    await intruder.events.until("control-channel-failed");
  }
});

Deno.test("two clients offer different services, and one leaves without the other", async () => {
  await using a = namedService("a");
  await using b = namedService("b");
  await using server = await serverFor({ a: {}, b: {} });
  const first = await clientFor(server, { a: a.address });
  await using _second = await clientFor(server, { b: b.address });
  equal(textOf(await ask(await server.door("a"), NOTHING)), "a");
  equal(textOf(await ask(await server.door("b"), NOTHING)), "b");
  await first[Symbol.asyncDispose]();
  await server.events.until("control-channel-lost", ({ service }) => service === "a");
  equal(server.service("a").address, undefined);
  equal(server.service("a").client, undefined);
  equal(textOf(await ask(await server.door("b"), NOTHING)), "b");
});

Deno.test("status and events tell what happened, in order", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {}, unused: { type: "udp" } }, { carriers: 0 });
  deepEqual(server.service("unused"), {
    name: "unused",
    type: "udp",
    client: undefined,
    address: undefined,
    dataChannelsIdle: 0,
    dataChannelsInUse: 0,
    visitors: 0,
    visitorsTotal: 0,
    visitorsRefused: 0,
    bytesFromVisitors: 0,
    bytesToVisitors: 0,
    datagramsDropped: 0,
    carriers: { open: 0, streams: 0, streamsTotal: 0, moved: 0, stalls: 0, queuedBytes: 0 },
  });
  await using client = await clientFor(server, { it: local.address });
  const door = await server.door("it");
  await eventually("the reserve", () => server.service().dataChannelsIdle, (n) => n === 8);
  equal(server.server.status().connections, 9);
  equal(server.server.status().pendingHandshakes, 0);
  equal(server.server.status().state, "running");
  equal(client.service().state, "established");
  equal(client.service().localAddress, formatAddress(local.address));

  await ask(door, bytesOf("12345"));
  await client.events.until("stream-closed");
  await server.events.until("stream-closed");
  deepEqual(
    server.events.seen.map(({ type }) => type),
    ["control-channel-established", "service-listening", "stream-opened", "stream-closed"],
  );
  deepEqual(
    client.events.seen.map(({ type }) => type),
    ["control-channel-established", "stream-opened", "stream-closed"],
  );
  equal(server.events.all("stream-closed")[0]?.reason, undefined);
  equal(client.events.all("stream-closed")[0]?.reason, undefined);
  for (
    const { bytesFromVisitors, bytesToVisitors, visitors, visitorsTotal } of [
      server.service(),
      client.service(),
    ]
  ) {
    deepEqual([bytesFromVisitors, bytesToVisitors, visitors, visitorsTotal], [5, 5, 0, 1]);
  }
  notEqual(server.service().client, undefined);

  await server[Symbol.asyncDispose]();
  await client.events.until("control-channel-lost");
  equal(client.service().state, "waiting");
  match(client.service().lastError ?? "", /./);
  equal(server.server.status().state, "stopped");
  equal(server.server.status().connections, 0);
  deepEqual(server.events.seen.slice(-3).map(({ type }) => type), [
    "control-channel-lost",
    "service-closed",
    "stopped",
  ]);
});

Deno.test("a client and a server of another type say so", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: { type: "udp" } });
  await using client = await clientFor(server, { it: local.address });
  const { reason } = await client.events.until("data-channel-failed");
  match(reason, /service "it" has type = "udp" at the server/);
});

Deno.test("a file that a transport needs and that is not there is an error of the start", async () => {
  const [certificate, private_key] = ["no/such/certificate.pem", "no/such/key.pem"];
  const missing = { code: "config", message: /no\/such\/.*no such file/ };
  const tls = { type: "tls", tls: { certificate, private_key } } as const;
  await rejects(serverFor({ it: {} }, { transport: tls }), missing);
  await rejects(clientFor("127.0.0.1:1", {}, { transport: tls }), missing);
});

Deno.test("a tunnel without services is none, and no error", async () => {
  await using server = await serverFor({});
  await using client = await clientFor(server, {});
  deepEqual(client.client.status().services, []);
  equal(client.client.status().state, "running");
  equal(server.server.status().connections, 0);
});

Deno.test("ending is idempotent, and ends in any order", async () => {
  await using local = echoService();
  for (const order of [["client", "server"], ["server", "client"]] as const) {
    const tunnel = await tunnelTo(local.address);
    for (const end of order) {
      const one = end === "client" ? tunnel.client.client : tunnel.server.server;
      await one[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
      await one.drain();
      await one.closed;
      equal(one.status().state, "stopped");
    }
  }
});
