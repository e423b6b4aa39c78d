/**
 * What bounds strangers, visitors and clients: each limit is reached, says so, and lets go again.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { rawClient } from "./support/raw.ts";
import { serverFor, tunnelTo } from "./support/tunnel.ts";

Deno.test("max_connections closes what comes beyond, and lets in again", async () => {
  await using local = echoService();
  // A control channel, a reserve of 8, one visitor, and the eighth that is kept for clients: here
  // the channel that replaces the visitor's.
  await using tunnel = await tunnelTo(local.address, {
    server: { max_connections: 11, carriers: 0 },
  });
  await eventually("the reserve", () => tunnel.server.service().dataChannelsIdle, (n) => n === 8);
  const one = await visit(tunnel.door);
  await writeAll(one, bytesOf("x"));
  await readBytes(one, 1);
  await eventually("all", () => tunnel.server.server.status().connections, (n) => n === 11);
  using two = await visit(tunnel.door);
  await closedByPeer(two);
  const { reason } = await tunnel.server.events.until("visitor-refused");
  equal(reason, "max_connections = 11 reached");
  equal(tunnel.server.service().visitorsRefused, 1);
  using stranger = await visit(tunnel.server.server.address);
  await closedByPeer(stranger);
  const refused = await tunnel.server.events.until("connection-refused");
  equal(refused.reason, "max_connections = 11 reached");
  one.close();
  await eventually("room", () => tunnel.server.server.status().connections, (n) => n < 10);
  equal(textOf(await ask(tunnel.door, bytesOf("room"))), "room");
});

for (const carriers of [0, 1]) {
  Deno.test(`max_data_channels bounds one session's visitors, carriers = ${carriers}`, async () => {
    await using local = echoService();
    await using tunnel = await tunnelTo(local.address, {
      server: { max_data_channels: 2, carriers },
    });
    const visitors = await Promise.all([visit(tunnel.door), visit(tunnel.door)]);
    for (const visitor of visitors) {
      await writeAll(visitor, bytesOf("x"));
      await readBytes(visitor, 1);
    }
    equal(tunnel.server.service().visitors, 2);
    using third = await visit(tunnel.door);
    await closedByPeer(third);
    const { reason } = await tunnel.server.events.until("visitor-refused");
    equal(reason, "max_data_channels = 2 reached");
    for (const visitor of visitors) visitor.close();
    await eventually("room", () => tunnel.server.service().visitors, (n) => n === 0);
    equal(textOf(await ask(tunnel.door, bytesOf("room"))), "room");
  });
}

Deno.test("visitor_timeout closes a visitor whose client opens no data channel", async () => {
  await using server = await serverFor({ it: {} }, { visitor_timeout: "300ms" });
  using client = await rawClient(server.server.address);
  equal(client.ack, "ok");
  const start = performance.now();
  using visitor = await visit(await server.door());
  await closedByPeer(visitor);
  const took = performance.now() - start;
  ok(took > 250 && took < 5000, `${took} ms`);
  const { reason } = await server.events.until("visitor-refused");
  equal(reason, "the client opened no data channel within 0.3 s");
  // The next one is in luck.
  using lucky = await visit(await server.door());
  using channel = await client.openDataChannel();
  deepEqual(await readBytes(channel, 4), new Uint8Array(4));
  await writeAll(lucky, bytesOf("hi"));
  equal(textOf(await readBytes(channel, 2)), "hi");
});

Deno.test("handshake_timeout closes who says nothing, or begins only", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address, { server: { handshake_timeout: "300ms" } });
  const { address } = tunnel.server.server;
  using silent = await visit(address);
  using slow = await visit(address);
  const { port } = slow.localAddr;
  // One byte at a time, for as long as it is taken: the deadline is for all of the handshake.
  const dribble = (async () => {
    for (let i = 0; i < 37; i++) {
      await slow.write(new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })().catch(() => {});
  await closedByPeer(silent);
  await closedByPeer(slow);
  await dribble;
  const events = tunnel.server.events.all("handshake-failed");
  ok(events.some(({ peer }) => peer.port === port));
  equal(events.length, 2);
  for (const { reason } of events) {
    equal(reason, "nothing valid came within handshake_timeout = 0.3 s");
  }
  equal(tunnel.server.server.status().pendingHandshakes, 0);
  equal(textOf(await ask(tunnel.door, bytesOf("alive"))), "alive");
});

Deno.test("those who fill max_pending_handshakes lock nobody out", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address, {
    server: { max_pending_handshakes: 3, handshake_timeout: "1m", carriers: 0 },
  });
  const { server } = tunnel.server;
  await eventually("the reserve", () => tunnel.server.service().dataChannelsIdle, (n) => n === 8);
  const silent = await Promise.all([1, 2, 3].map(() => visit(server.address)));
  await eventually("three pending", () => server.status().pendingHandshakes, (n) => n === 3);
  using more = await visit(server.address);
  const { reason } = await tunnel.server.events.until("handshake-failed");
  equal(reason, "made way for a newer connection: max_pending_handshakes = 3 reached");
  equal(server.status().pendingHandshakes, 3);
  // A burst of visitors beyond the reserve of 8, and a client that is new.
  const replies = await Promise.all(
    Array.from({ length: 30 }, (_, i) => ask(tunnel.door, bytesOf(`burst ${i}`))),
  );
  deepEqual(replies.map(textOf), replies.map((_, i) => `burst ${i}`));
  using newcomer = await rawClient(server.address);
  equal(newcomer.ack, "ok");
  for (const one of [...silent, more]) one.close();
  await eventually("none pending", () => server.status().pendingHandshakes, (n) => n === 0);
});

Deno.test("max_pending_handshakes_per_ip counts for one address", async () => {
  await using server = await serverFor({ it: {} }, { max_pending_handshakes_per_ip: 2 });
  const silent = await Promise.all([1, 2].map(() => visit(server.server.address)));
  await eventually("two pending", () => server.server.status().pendingHandshakes, (n) => n === 2);
  using more = await visit(server.server.address);
  const { peer, reason } = await server.events.until("handshake-failed");
  equal(peer.hostname, "127.0.0.1");
  match(reason, /made way .* max_pending_handshakes_per_ip = 2 reached/);
  using later = await rawClient(server.server.address);
  equal(later.ack, "ok");
  for (const one of [...silent, more]) one.close();
  await eventually("none", () => server.server.status().pendingHandshakes, (n) => n === 0);
});

Deno.test("max_connections_per_ip is one address's visitors, and clients that are not served", async () => {
  await using local = echoService();
  // The control channel counts, its data channels do not.
  await using tunnel = await tunnelTo(local.address, {
    server: { max_connections_per_ip: 3, carriers: 0 },
  });
  // Until they have joined, they do.
  await eventually("the reserve", () => tunnel.server.service().dataChannelsIdle, (n) => n === 8);
  const visitors = await Promise.all([visit(tunnel.door), visit(tunnel.door)]);
  for (const visitor of visitors) {
    await writeAll(visitor, bytesOf("x"));
    await readBytes(visitor, 1);
  }
  using third = await visit(tunnel.door);
  await closedByPeer(third);
  const { reason } = await tunnel.server.events.until("visitor-refused");
  equal(reason, "max_connections_per_ip = 3 reached");
  await eventually("the reserve", () => tunnel.server.service().dataChannelsIdle, (n) => n === 8);
  using stranger = await visit(tunnel.server.server.address);
  await closedByPeer(stranger);
  const refused = await tunnel.server.events.until("connection-refused");
  equal(refused.reason, "max_connections_per_ip = 3 reached");
  for (const visitor of visitors) visitor.close();
  await eventually("room", () => tunnel.server.server.status().connections, (n) => n === 9);
  equal(textOf(await ask(tunnel.door, bytesOf("room"))), "room");
});

Deno.test("max_handshake_rate_per_ip closes a flood at the door, and never a busy client", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address, {
    server: { max_handshake_rate_per_ip: 2, carriers: 0 },
  });
  const { server } = tunnel.server;
  // Far more data channels than handshakes are allowed to strangers.
  const reserve = () =>
    eventually("the reserve", () => tunnel.server.service().dataChannelsIdle, (n) => n === 8);
  for (let i = 0; i < 100; i++) {
    // A visitor who had to wait would make it larger.
    await reserve();
    equal(textOf(await ask(tunnel.door, bytesOf("busy"))), "busy");
  }
  equal(tunnel.server.events.all("connection-refused").length, 0);
  await reserve();
  for (let i = 0; i < 60; i++) {
    using stranger = await visit(server.address);
    stranger.closeWrite().catch(() => {});
    await closedByPeer(stranger);
  }
  const refused = tunnel.server.events.all("connection-refused");
  ok(refused.length >= 20, `${refused.length} refused`);
  equal(refused[0]?.reason, "max_handshake_rate_per_ip = 2 reached");
  equal(textOf(await ask(tunnel.door, bytesOf("alive"))), "alive");
});

Deno.test("who fails to authenticate again and again is refused, and let in when it is right", async () => {
  await using server = await serverFor({ it: {}, other: {} }, { max_auth_failures_per_ip: 3 });
  const at = server.server.address;
  for (let i = 0; i < 3; i++) {
    using wrong = await rawClient(at, "it", "wrong");
    equal(wrong.ack, "auth-failed");
    await server.events.until("handshake-failed");
    await closedByPeer(wrong.control);
  }
  using refused = await visit(at);
  await closedByPeer(refused);
  const { reason } = await server.events.until("connection-refused");
  match(
    reason,
    /^clients at this address failed to authenticate 3 times in a row; refused for 1 s$/,
  );
  // A second later its token is right, and then the address is known to have an honest client.
  const enter = async () => {
    try {
      return await rawClient(at);
    } catch {
      return null;
    }
  };
  using right = await eventually("a way in", enter, (client) => client?.ack === "ok");
  ok(right);
  for (let i = 0; i < 10; i++) {
    using wrong = await rawClient(at, "other", "wrong");
    equal(wrong.ack, "auth-failed");
  }
});
