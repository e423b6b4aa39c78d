/**
 * Visitors that share carriers: how many there are, and what is carried. In this process.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { carried, carriedThrough, carriersAt, carriersBecome, guests } from "./support/carried.ts";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { NOBODY, updatable } from "./support/client_updates.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  noise,
  readBytes,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, pause } from "./support/patience.ts";
import { clientFor, serverFor, TOKEN, tunnelTo } from "./support/tunnel.ts";

Deno.test("visitors share a carrier, and use no data channel", async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address);
  const { client, door, server } = tunnel;
  {
    using visitors = await guests(door, 40);
    for (const end of [server, client]) {
      const { open, streams, streamsTotal, moved } = end.service().carriers;
      deepEqual({ open, streams, streamsTotal, moved }, {
        ...{ open: 1, streams: 40, streamsTotal: 40, moved: 0 },
      });
    }
    equal(server.service().dataChannelsInUse, 0);
    equal(server.server.status().streams, 40);
    await visitors.works();
  }
  await carriersBecome(server, { streams: 0, queuedBytes: 0, open: 1 });
  await carriersBecome(client, { streams: 0, queuedBytes: 0, open: 1 });
  equal(server.service().visitorsTotal, 40);
  // Channels in reserve are for what moves.
  await eventually("a small reserve", () => server.service().dataChannelsIdle, (n) => n === 2);
  deepEqual(client.events.all("carrier-opened").map(({ service }) => service), ["it"]);
  deepEqual(server.events.all("carrier-opened").map(({ service }) => service), ["it"]);
});

Deno.test("half-closes and resets of visitors on a carrier arrive as such", async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address);
  for (const size of [0, 1, 16_384, 16_385, 100_000]) {
    const question = noise(size, size + 1);
    deepEqual(await ask(tunnel.door, question), question);
  }
  equal(tunnel.server.service().carriers.streamsTotal, 5);
  equal(tunnel.server.service().carriers.open, 1);
  const events = tunnel.server.events;
  const closed = await eventually(
    "5 ends",
    () => events.all("stream-closed"),
    (e) => e.length === 5,
  );
  deepEqual(closed.map(({ reason }) => reason), Array(5).fill(undefined));
});

Deno.test("thousands of requests and replies on one connection do not move it", async () => {
  await using local = tcpService(async (connection) => {
    for (;;) {
      const [size = 0] = await readBytes(connection, 200).catch(() => new Uint8Array(0));
      if (size === 0) return;
      await writeAll(connection, noise(size * 1000));
    }
  });
  await using tunnel = await carried(local.address);
  using visitor = await visit(tunnel.door);
  visitor.setNoDelay(true);
  // Up to 12 kB for 200 bytes: megabytes in all, and still a conversation.
  for (let i = 0; i < 3000; i++) {
    const size = 1 + i % 12;
    await writeAll(visitor, new Uint8Array(200).fill(size));
    await readBytes(visitor, size * 1000);
  }
  const { moved, streams } = tunnel.server.service().carriers;
  deepEqual({ moved, streams }, { moved: 0, streams: 1 });
});

for (
  const [wanted, most, open] of [[3, 8, 3], [3, 2, 2], [1, 8, 1], [8, 8, 8]] as const
) {
  Deno.test(`${wanted} carriers wanted and ${most} allowed are ${open}, used alike`, async () => {
    await using local = echoService();
    await using tunnel = await carried(local.address, {
      server: { carriers: most },
      client: { carriers: wanted },
    }, open);
    using _visitors = await guests(tunnel.door, 2 * open);
    equal(tunnel.server.service().carriers.streams, 2 * open);
    await pause(100);
    equal(tunnel.server.service().carriers.open, open);
    deepEqual(tunnel.client.events.all("carrier-failed"), []);
    deepEqual(tunnel.server.events.all("handshake-failed"), []);
  });
}

for (const [name, server, client] of [["server", 0, 1], ["client", 8, 0]] as const) {
  Deno.test(`carriers = 0 at the ${name}: none, visitors have data channels`, async () => {
    await using local = echoService();
    await using tunnel = await tunnelTo(local.address, {
      server: { carriers: server },
      client: { carriers: client },
    });
    using visitors = await guests(tunnel.door, 5);
    await pause(100);
    await visitors.works();
    equal(tunnel.server.service().dataChannelsInUse, 5);
    for (const end of [tunnel.server, tunnel.client]) {
      const { open, streamsTotal } = end.service().carriers;
      deepEqual({ open, streamsTotal }, { open: 0, streamsTotal: 0 });
      equal(end.events.seen.some(({ type }) => type.startsWith("carrier")), false);
    }
  });
}

Deno.test("a server that allows more, then none: carriers follow, streams live on", async () => {
  await using local = echoService();
  const services = new Map([["it", { bind_addr: "127.0.0.1:0" }]]);
  const of = (carriers: number) => ({
    ...{ bind_addr: "127.0.0.1:0", default_token: TOKEN, services, carriers },
  });
  await using tunnel = await carried(local.address, {
    server: { carriers: 1 },
    client: { carriers: 4 },
  });
  const { door, server } = tunnel;
  using early = await guests(door, 3);
  await server.server.update(of(3));
  await carriersAt(server, 3);
  using late = await guests(door, 3);
  await server.server.update(of(0));
  await early.works();
  await late.works();
  equal(server.service().carriers.streams, 6);
  // New visitors have data channels.
  using later = await guests(door, 2);
  deepEqual(
    [server.service().carriers.streams, server.service().dataChannelsInUse],
    [6, 2],
    "streams on carriers, data channels in use",
  );
  early[Symbol.dispose]();
  late[Symbol.dispose]();
  await carriersBecome(server, { open: 0, streams: 0 });
  await later.works();
  await server.server.update(of(2));
  await carriersAt(server, 2);
  using _last = await guests(door, 2);
  equal(server.service().carriers.streams, 2);
  deepEqual(server.events.all("control-channel-lost"), []);
});

Deno.test("carriers that were not welcome for a while are used again while they have streams", async () => {
  await using local = echoService();
  const services = new Map([["it", { bind_addr: "127.0.0.1:0" }]]);
  const of = (carriers: number) => ({
    ...{ bind_addr: "127.0.0.1:0", default_token: TOKEN, services, carriers },
  });
  await using tunnel = await carried(local.address, { server: { carriers: 1 } });
  const { door, server } = tunnel;
  using early = await guests(door, 1);
  await server.server.update(of(0));
  using meanwhile = await guests(door, 1);
  equal(server.service().dataChannelsInUse, 1);
  await server.server.update(of(1));
  using late = await guests(door, 3);
  deepEqual(
    [server.service().carriers.open, server.service().carriers.streams],
    [1, 4],
    "carriers, streams on them",
  );
  for (const some of [early, meanwhile, late]) await some.works();
});

Deno.test("a client that wants more, then none: carriers follow, streams live on", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { carriers: 8 });
  const services = { it: local.address };
  const retry = { retry_interval: "50ms" } as const;
  await using client = await updatable(server, services, { carriers: 1, ...retry });
  await carriersAt(server, 1);
  using first = await guests(await server.door(), 1);
  await client.update(server, services, { carriers: 3, ...retry });
  // One more than are wanted for as long as the first has its stream.
  await carriersAt(server, 4);
  await first.works();
  using second = await guests(await server.door(), 1);
  equal(server.service().carriers.streams, 2);
  await client.update(server, services, { carriers: 0, ...retry });
  await carriersBecome(server, { open: 2, streams: 2 });
  await first.works();
  await second.works();
  using third = await guests(await server.door(), 1);
  await third.works();
  equal(server.service().carriers.streams, 2);
  equal(server.service().dataChannelsInUse, 1);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  await carriersBecome(server, { open: 0 });
});

Deno.test("a visitor whose service cannot be reached is closed at once, and counted", async () => {
  await using server = await serverFor({ it: {} }, { carriers: 8 });
  await using client = await clientFor(server, { it: { local_addr: NOBODY } }, { carriers: 1 });
  await carriersAt(server, 1);
  const start = performance.now();
  using visitor = await visit(await server.door());
  await closedByPeer(visitor);
  ok(performance.now() - start < 5000);
  const { reason } = await server.events.until("stream-closed");
  match(reason ?? "", /could not reach the service/);
  equal(client.service().visitorsFailed, 1);
  match((await client.events.until("local-unreachable")).reason, /./);
  await carriersBecome(server, { open: 1, streams: 0 });
  await carriersBecome(client, { open: 1, streams: 0 });
});

Deno.test("max_data_channels bounds streams, on carriers and off them together", async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address, { server: { max_data_channels: 3 } });
  const { door, server } = tunnel;
  using visitors = await guests(door, 3);
  using fourth = await visit(door);
  await closedByPeer(fourth);
  match((await server.events.until("visitor-refused")).reason, /^max_data_channels = 3 reached$/);
  equal(server.service().visitorsRefused, 1);
  visitors.all[0]?.close();
  await carriersBecome(server, { streams: 2 });
  equal(textOf(await ask(door, bytesOf("again"))), "again");
});

Deno.test("each service has carriers of its own", async () => {
  await using one = echoService();
  await using two = echoService();
  await using server = await serverFor({ one: {}, two: {} }, { carriers: 8 });
  const services = { one: one.address, two: two.address };
  await using _client = await clientFor(server, services, { carriers: 2 });
  for (const name of ["one", "two"]) await carriersAt(server, 2, name);
  using _ones = await guests(await server.door("one"), 3);
  using _twos = await guests(await server.door("two"), 5);
  equal(server.service("one").carriers.streams, 3);
  equal(server.service("two").carriers.streams, 5);
});

Deno.test("datagrams ride a carrier, exactly, and what is too much is counted", async () => {
  await using local = await udpEcho();
  await using tunnel = await carriedThrough({ it: local.address }, { service: { type: "udp" } });
  const { client, door, server, tap } = tunnel;
  await using visitor = await udpSocket();
  equal(textOf(await askDatagram(visitor, bytesOf("hello"), door)), "hello");
  await carriersBecome(server, { streams: 1 });
  await carriersBecome(client, { streams: 1 });
  await eventually("no channel", () => server.service().dataChannelsInUse, (n) => n === 0);
  for (const size of [0, 1, 1400, 9000, 40_000, 65_507]) {
    while (visitor.waiting.length > 0) await visitor.next();
    const payload = noise(size, size + 1);
    await visitor.send(payload, door);
    deepEqual((await visitor.next()).payload, payload, `${size} bytes`);
  }
  const before = server.service().datagramsDropped;
  for (const link of tap.of("carrier")) link.silent = true;
  const payload = noise(9000);
  await eventually("drops", async () => {
    for (let i = 0; i < 20; i++) await visitor.send(payload, door);
    return server.service().datagramsDropped;
  }, (dropped) => dropped > before);
  ok(server.service().carriers.queuedBytes < 4 << 20);
});
