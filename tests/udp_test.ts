/**
 * Datagrams through a UDP service. With --allow-net the server uses `Deno.listenDatagram`, with an
 * address only, or without the unstable flag (`udp_package_test.ts`), it uses node:dgram.
 *
 * Permissions: --allow-net=127.0.0.0/8 or --allow-net
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { bytesOf, noise, readBytes, textOf, writeAll } from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { aborted, forwardUdp, rawClient, rawServer, udpFrame } from "./support/raw.ts";
import { relayTo } from "./support/relay.ts";
import { clientFor, serverFor, tunnelTo } from "./support/tunnel.ts";
import { formatAddress } from "../src/runtime/address.ts";

const NOTHING = new Uint8Array(0);
const SIZES = [0, 1, 511, 1400, 2048, 2049, 9000, 65_507];
const UDP = { service: { type: "udp" } } as const;

Deno.test("datagrams of every size arrive as they were sent, both ways", async () => {
  await using local = await udpEcho();
  await using tunnel = await tunnelTo(local.address, UDP);
  await using visitor = await udpSocket();
  await askDatagram(visitor, bytesOf("awake"), tunnel.door);
  for (const size of [...SIZES, ...SIZES.toReversed()]) {
    const payload = noise(size, size + 1);
    await visitor.send(payload, tunnel.door);
    deepEqual((await visitor.next()).payload, payload, `${size} bytes`);
  }
  const { bytesFromVisitors, bytesToVisitors, datagramsDropped } = tunnel.server.service();
  equal(datagramsDropped, 0);
  equal(bytesFromVisitors, bytesToVisitors);
  equal(tunnel.client.service().datagramsDropped, 0);
  deepEqual([tunnel.server.service().visitors, tunnel.client.service().visitors], [1, 1]);
});

Deno.test("100 visitors are kept apart, on 1 data channel and on 4", async () => {
  await using local = await udpEcho();
  for (const udp_data_channels of [1, 4]) {
    await using tunnel = await tunnelTo(local.address, {
      service: { type: "udp", udp_data_channels },
    });
    await using all = new AsyncDisposableStack();
    const visitors = await Promise.all(Array.from({ length: 100 }, () => udpSocket()));
    for (const visitor of visitors) all.use(visitor);
    await Promise.all(visitors.map(async (visitor, i) => {
      for (let round = 0; round < 3; round++) {
        const question = `visitor ${i} round ${round}`;
        let answer = textOf(await askDatagram(visitor, bytesOf(question), tunnel.door));
        // What was asked for twice is answered twice, the second time perhaps a round later.
        while (answer !== question) {
          match(answer, new RegExp(`^visitor ${i} round [0-${round}]$`));
          answer = textOf((await visitor.next()).payload);
        }
      }
    }));
    const { carriers, dataChannelsInUse } = tunnel.server.service();
    equal(carriers.streams + dataChannelsInUse, udp_data_channels);
    equal(tunnel.server.service().visitors, 100);
    equal(tunnel.client.service().visitors, 100);
  }
});

Deno.test("the service sees each visitor as an address of its own", async () => {
  await using local = await udpSocket();
  await using tunnel = await tunnelTo(local.address, UDP);
  await using one = await udpSocket();
  await using two = await udpSocket();
  await one.send(bytesOf("one"), tunnel.door);
  const first = await local.next();
  await two.send(bytesOf("two"), tunnel.door);
  const second = await local.next();
  ok(first.from.port !== second.from.port);
  // The later visitor is answered first, and the earlier one twice, unasked.
  await local.send(bytesOf("to two"), second.from);
  equal(textOf((await two.next()).payload), "to two");
  for (const reply of ["to one", "to one again"]) {
    await local.send(bytesOf(reply), first.from);
    equal(textOf((await one.next()).payload), reply);
  }
});

Deno.test("a client cannot make the server send to an address that never came", async () => {
  await using server = await serverFor({ it: { type: "udp" } });
  using client = await rawClient(server.server.address);
  using channel = await client.openDataChannel();
  deepEqual(await readBytes(channel, 4), forwardUdp);
  const door = await server.door();
  await using visitor = await udpSocket();
  await using victim = await udpSocket();
  await visitor.send(bytesOf("?"), door);
  deepEqual(await readBytes(channel, 14), udpFrame(visitor.address, bytesOf("?")));
  await writeAll(channel, udpFrame(victim.address, bytesOf("never asked for")));
  await writeAll(channel, udpFrame({ hostname: "::1", port: 53 }, bytesOf("nor this")));
  await writeAll(channel, udpFrame(visitor.address, bytesOf("!")));
  equal(textOf((await visitor.next()).payload), "!");
  equal(server.service().datagramsDropped, 2);
  equal(victim.waiting.length, 0);
});

Deno.test("the service is heard, a stranger at the client's socket is not", async () => {
  await using local = await udpSocket();
  await using tunnel = await tunnelTo(local.address, UDP);
  await using visitor = await udpSocket();
  await using stranger = await udpSocket();
  await visitor.send(bytesOf("?"), tunnel.door);
  const { from } = await local.next();
  await stranger.send(bytesOf("forged"), from);
  await eventually("a drop", () => tunnel.client.service().datagramsDropped, (n) => n === 1);
  await local.send(bytesOf("!"), from);
  equal(textOf((await visitor.next()).payload), "!");
});

Deno.test("a lost data channel is replaced, and visitors notice nothing", async () => {
  await using local = await udpEcho();
  await using server = await serverFor({ it: { type: "udp" } }, { carriers: 0 });
  await using relay = relayTo(server.server.address);
  await using client = await clientFor(formatAddress(relay.address), {
    it: { type: "udp", local_addr: formatAddress(local.address) },
  });
  const door = await server.door();
  await using visitor = await udpSocket();
  const asked: Uint8Array[] = [];
  for (let round = 0; round < 5; round++) {
    while (visitor.waiting.length > 0) await visitor.next();
    const question = noise(1000, round + 1);
    let answer = await askDatagram(visitor, question, door);
    // What was asked for twice is answered twice, the second time perhaps a round later.
    const before = asked.map((earlier) => earlier.toHex());
    while (before.includes(answer.toHex())) answer = (await visitor.next()).payload;
    deepEqual(answer, question);
    asked.push(question);
    relay.cut("data");
  }
  equal(client.events.all("control-channel-lost").length, 0);
  equal(server.events.all("control-channel-lost").length, 0);
  equal(server.service().visitorsTotal, 1);
});

Deno.test("a service that is away and comes back serves the visitors it had", async () => {
  await using first = await udpEcho();
  await using tunnel = await tunnelTo(first.address, UDP);
  await using visitor = await udpSocket();
  await askDatagram(visitor, bytesOf("before"), tunnel.door);
  const { port } = first.address;
  await first[Symbol.asyncDispose]();
  // Each of these comes back to the client as an ICMP error.
  const sent = () => tunnel.client.service().bytesFromVisitors;
  for (let i = 0; i < 20; i++) {
    const before = sent() + tunnel.client.service().datagramsDropped;
    await visitor.send(bytesOf("void"), tunnel.door);
    await eventually(
      "the datagram to be sent",
      () => sent() + tunnel.client.service().datagramsDropped,
      (now) => now > before,
    );
  }
  while (visitor.waiting.length > 0) await visitor.next();
  await using _second = await udpEcho({ port });
  equal(textOf(await askDatagram(visitor, bytesOf("after"), tunnel.door)), "after");
  equal(tunnel.client.service().visitorsTotal, 1);
});

Deno.test("a client keeps at most 1024 visitors, however they come, and the newest are served", async () => {
  let lastHeard = false;
  await using local = await udpSocket({}, ({ payload }) => {
    lastHeard ||= textOf(payload) === "last";
  });
  const { promise: channelOpen, resolve: opened } = Promise.withResolvers<Deno.TcpConn>();
  await using server = rawServer(async ({ create, dataChannel, signal }) => {
    await create();
    const channel = await dataChannel();
    await writeAll(channel, forwardUdp);
    opened(channel);
    await aborted(signal);
  });
  await using client = await clientFor(formatAddress(server.address), {
    it: { type: "udp", local_addr: formatAddress(local.address) },
  });
  const channel = await channelOpen;
  const visitor = (i: number) => ({ hostname: `10.1.${i >> 8}.${i & 255}`, port: 1000 + i });
  // All at once: in one read of the client's are thousands of frames.
  const frames = Array.from({ length: 5000 }, (_, i) => udpFrame(visitor(i), bytesOf("x")));
  await writeAll(channel, Uint8Array.from(frames.flatMap((frame) => [...frame])));
  // The service's socket may have been full just then.
  await eventually("the newest visitor to be heard", async () => {
    await writeAll(channel, udpFrame(visitor(4999), bytesOf("last")));
    return lastHeard;
  }, (heard) => heard);
  const { datagramsDropped, visitors, visitorsTotal } = client.service();
  equal(visitors, 1024);
  ok(visitorsTotal + datagramsDropped >= 5000, "every visitor was served or counted");
});

Deno.test("a server remembers at most 16,384 visitors", {
  // Elsewhere 127.0.0.1 is the only address of the network.
  ignore: Deno.build.os !== "linux",
  timeout: 60_000,
}, async () => {
  await using server = await serverFor({ it: { type: "udp" } });
  // Opens no data channel: who comes is remembered all the same.
  using _client = await rawClient(server.server.address);
  const door = await server.door();
  for (let sent = 0; sent < 16_500;) {
    await using batch = new AsyncDisposableStack();
    const sockets = await Promise.all(Array.from({ length: 100 }, (_, i) => {
      const source = sent + i;
      return udpSocket({ hostname: `127.1.${source >> 8}.${source & 255}` });
    }));
    for (const socket of sockets) batch.use(socket);
    await Promise.all(sockets.map((socket) => socket.send(NOTHING, door)));
    sent += sockets.length;
    // Datagrams that come faster than they are read are dropped by the system.
    await eventually("all to be seen", () => server.service().visitorsTotal, (n) => n === sent);
  }
  equal(server.service().visitors, 16_384);
});

Deno.test("the door closes with its client and opens for the next one", async () => {
  await using local = await udpEcho();
  await using server = await serverFor({ it: { type: "udp" } });
  const it = { type: "udp", local_addr: formatAddress(local.address) } as const;
  await using visitor = await udpSocket();
  for (let round = 0; round < 3; round++) {
    const client = await clientFor(server, { it });
    await askDatagram(visitor, bytesOf("x"), await server.door());
    await client[Symbol.asyncDispose]();
    await eventually("the door to close", () => server.service().address, (at) => at === undefined);
    equal(server.service().visitors, 0);
    while (visitor.waiting.length > 0) await visitor.next();
  }
});
