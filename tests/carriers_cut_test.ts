/**
 * Carriers that are cut, fall silent, are left, or have a visitor who does not read.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { carried, carriedThrough, carriersAt, carriersBecome, guests } from "./support/carried.ts";
import { refusedAt } from "./support/doors.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  copy,
  echoed,
  echoService,
  expectLost,
  noise,
  readBytes,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, soon } from "./support/patience.ts";
import { clientFor, serverFor } from "./support/tunnel.ts";

Deno.test("a carrier that is cut ends its visitors, and nobody else's; another is opened", async () => {
  await using local = echoService();
  const { address } = local;
  await using tunnel = await carriedThrough({ it: address, other: address });
  const { client, door, server, tap } = tunnel;
  const otherDoor = await server.door("other");
  using victims = await guests(door, 20);
  using others = await guests(otherDoor, 3);
  using mover = await visit(door);
  const bulk = noise(1_000_000, 3);
  const sending = writeAll(mover, bulk);
  await readBytes(mover, bulk.length);
  await sending;
  await carriersBecome(server, { moved: 1, streams: 20 }, "it");
  tap.refused.add("carrier");
  // Which of the two is whose: the frames that came from the server tell.
  const mine = tap.of("carrier").find(({ down }) => frames(down, 1) === 21);
  ok(mine, "the carrier that has opened 21 streams");
  const start = performance.now();
  mine.cut();
  await Promise.all(victims.all.map(closedByPeer));
  const took = performance.now() - start;
  ok(took < 2000, `${took} ms`);
  const { streams, reason } = await server.events.until("carrier-lost");
  equal(streams, 20);
  match(reason, /closed|reset/);
  equal((await client.events.until("carrier-lost")).streams, 20);
  // None can be opened now: visitors have data channels meanwhile.
  using meanwhile = await guests(door, 4);
  equal(server.service("it").carriers.open, 0);
  equal(server.service("it").dataChannelsInUse, 4 + 1);
  await others.works();
  equal(textOf(await echoedOn(mover)), "moved");
  await client.events.until("carrier-lost", ({ streams }) => streams === 0);
  tap.refused.clear();
  await carriersAt(server, 1, "it");
  using later = await guests(door, 2);
  equal(server.service("it").carriers.streams, 2);
  for (const some of [meanwhile, others, later]) await some.works();
  equal(server.service("other").carriers.open, 1);
  deepEqual(server.events.all("control-channel-lost"), []);
});

async function echoedOn(visitor: Deno.TcpConn): Promise<Uint8Array> {
  await writeAll(visitor, bytesOf("moved"));
  return await readBytes(visitor, 5);
}

for (const end of ["server", "client"] as const) {
  Deno.test(`a draining ${end} lets streams on carriers finish`, async () => {
    await using local = echoService();
    await using tunnel = await carried(local.address, { client: { retry_interval: "100ms" } });
    const { client, door, server } = tunnel;
    using visitors = await guests(door, 3);
    const one = end === "server" ? server.server : client.client;
    const draining = one.drain();
    await server.events.until("control-channel-lost");
    await refusedAt(door);
    await visitors.works();
    equal(server.service().carriers.streams, 3);
    for (const visitor of visitors.all) {
      await writeAll(visitor, bytesOf("last"));
      await visitor.closeWrite();
      deepEqual(await readBytes(visitor, 4), bytesOf("last"));
      await closedByPeer(visitor);
    }
    await soon("the drain to end", draining);
    await one.closed;
    for (const ended of [server, client]) {
      for (const event of ended.events.seen) {
        if (event.type === "stream-closed") equal(event.reason, undefined);
      }
      await carriersBecome(ended, { open: 0, streams: 0 });
    }
  });

  Deno.test(`drain_timeout cuts streams on carriers of a ${end}`, async () => {
    await using local = echoService();
    await using tunnel = await carried(local.address, { [end]: { drain_timeout: "200ms" } });
    using visitors = await guests(tunnel.door, 3);
    const one = end === "server" ? tunnel.server.server : tunnel.client.client;
    await soon("the drain to end", one.drain(), 3000);
    await Promise.all(visitors.all.map(closedByPeer));
  });
}

Deno.test("streams on carriers of a client that is displaced live on", async () => {
  await using one = echoService();
  await using two = echoService();
  await using server = await serverFor({ it: {} }, { carriers: 8 });
  const never = { carriers: 1, retry_interval: "1h" } as const;
  await using before = await clientFor(server, { it: one.address }, never);
  await carriersAt(server, 1);
  const door = await server.door();
  using early = await guests(door, 3);
  await using after = await clientFor(server, { it: two.address }, never);
  await server.events.until("control-channel-lost", ({ reason }) => /displaced/.test(reason));
  await carriersBecome(server, { open: 2, streams: 3 });
  using late = await guests(door, 2);
  await early.works();
  equal(one.accepted, 3);
  equal(two.accepted, 2);
  equal(before.service().carriers.streams, 3);
  equal(after.service().carriers.streams, 2);
  for (const visitor of early.all) await visitor.closeWrite();
  await Promise.all(early.all.map(closedByPeer));
  await carriersBecome(server, { open: 1, streams: 2 });
  await carriersBecome(before, { open: 0 });
  await late.works();
});

Deno.test("the visitors of a client that falls silent are cut with it", async () => {
  await using local = echoService();
  await using tunnel = await carriedThrough({ it: local.address }, {
    client: { heartbeat_timeout: 1 },
  });
  const { client, door, server, tap } = tunnel;
  using visitors = await guests(door, 5);
  for (const link of tap.links) link.silent = true;
  const start = performance.now();
  await Promise.all(visitors.all.map(closedByPeer));
  const took = performance.now() - start;
  ok(took < 5000, `${took} ms`);
  match((await server.events.until("carrier-lost")).reason, /silent/);
  for (const end of [server, client]) {
    await eventually("no streams", () => end.service().carriers.streams, (n) => n === 0);
  }
  equal(local.accepted, 5);
});

Deno.test(
  "a carrier that alone falls silent is asked, and given up",
  { timeout: 60_000 },
  async () => {
    await using local = echoService();
    await using tunnel = await carriedThrough({ it: local.address }, {
      client: { heartbeat_timeout: 2 },
      server: { heartbeat_interval: 1 },
    });
    const { door, server, tap } = tunnel;
    using visitors = await guests(door, 3);
    for (const link of tap.of("carrier")) link.silent = true;
    const start = performance.now();
    const lost = server.events.until("carrier-lost", () => true, 30_000);
    match((await lost).reason, /did not answer|closed/);
    const took = performance.now() - start;
    // An interval, at most as long again until it is over, and 10 s for an answer.
    ok(took > 9_000 && took < 20_000, `${took} ms`);
    await Promise.all(visitors.all.map(closedByPeer));
    await carriersAt(server, 1);
    equal(textOf(await ask(door, bytesOf("again"))), "again");
    deepEqual(server.events.all("control-channel-lost"), []);
  },
);

Deno.test("a silent carrier whose other end answers is kept", async () => {
  await using local = echoService();
  await using tunnel = await carriedThrough({ it: local.address }, {
    client: { heartbeat_timeout: 2 },
    server: { heartbeat_interval: 1 },
  });
  const { door, server, tap } = tunnel;
  using visitors = await guests(door, 1);
  const pongs = () => frames(tap.of("carrier")[0]?.up.subarray(37) ?? new Uint8Array(0), 8);
  await eventually("a pong", pongs, (count) => count >= 1);
  await visitors.works();
  deepEqual(server.events.all("carrier-lost"), []);
});

/** Frames of a type among bytes of a carrier. */
function frames(bytes: Uint8Array, type: number): number {
  let count = 0;
  for (let at = 0; at + 8 <= bytes.length;) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at + 5, at + 8);
    if (bytes[at + 4] === type) count++;
    at += 8 + a + (b << 8) + (c << 16);
  }
  return count;
}

Deno.test("one visitor who does not read among 50 who do: they go on, and little is held", async () => {
  const endless = new Uint8Array(65_536);
  await using local = tcpService(async (connection) => {
    const [first = 0] = await readBytes(connection, 1);
    if (first !== 1) return await copy(connection, connection);
    for (;;) await writeAll(connection, endless);
  });
  await using tunnel = await carriedThrough({ it: local.address });
  const { client, door, server, tap } = tunnel;
  // It must stay: nothing comes for it to move to.
  tap.refused.add("data");
  for (const link of tap.of("data")) link.cut();
  using slow = await visit(door);
  await writeAll(slow, Uint8Array.of(1));
  const fast = await Promise.all(Array.from({ length: 50 }, () => visit(door)));
  try {
    await Promise.all(fast.map((visitor) => writeAll(visitor, Uint8Array.of(2))));
    const question = noise(3000);
    let most = 0;
    await eventually(
      "the slow one to be stuck",
      () => client.service().carriers.stalls,
      (n) => n > 0,
    );
    const round = () =>
      Promise.all(fast.map(async (visitor) => {
        await writeAll(visitor, question);
        deepEqual(await readBytes(visitor, question.length), question);
      }));
    let before = -1;
    await eventually("the slow one to get no further", async () => {
      await soon("a round of the fast ones", round(), 5000);
      const held = server.service().carriers.queuedBytes + client.service().carriers.queuedBytes;
      most = Math.max(most, held);
      const now = server.service().bytesToVisitors - 50 * question.length;
      const same = now === before;
      before = server.service().bytesToVisitors;
      return same;
    }, (same) => same);
    const start = performance.now();
    for (let i = 0; i < 20; i++) await soon("a round", round(), 5000);
    const took = performance.now() - start;
    ok(took < 10_000, `20 rounds of 50 visitors: ${took} ms`);
    for (const end of [server, client]) {
      const { queuedBytes, streams } = end.service().carriers;
      equal(streams, 51);
      ok(queuedBytes <= 1 << 20, `${queuedBytes} bytes wait`);
    }
    ok(most <= 2 << 20, `${most} bytes waited at both ends`);
  } finally {
    for (const visitor of fast) visitor.close();
  }
  slow.closeWrite().catch(expectLost);
});

Deno.test("who connects and vanishes leaves nothing behind", async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address);
  const { client, door, server } = tunnel;
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 25 }, async () => {
      using visitor = await visit(door);
      await writeAll(visitor, bytesOf("gone"));
    }));
  }
  await eventually("all to be gone", () => server.server.status().streams, (n) => n === 0);
  for (const end of [server, client]) {
    await carriersBecome(end, { streams: 0, queuedBytes: 0, open: 1 });
    await eventually("no visitors", () => end.service().visitors, (n) => n === 0);
  }
  equal(server.service().carriers.streamsTotal, 500);
  equal(textOf(await echoed(door, bytesOf("still"))), "still");
});
