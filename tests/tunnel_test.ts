/**
 * Bytes through a TCP service, both ends of ours in this process.
 *
 * Permissions: --allow-net=127.0.0.1,[::1],localhost
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import {
  ask,
  bytesOf,
  closedByPeer,
  digest,
  echoService,
  noise,
  readBytes,
  readToEnd,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, pause } from "./support/patience.ts";
import { clientFor, serverFor, tunnelTo } from "./support/tunnel.ts";

const MIB = 1 << 20;

Deno.test("bytes go there and back", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address);
  for (const question of ["", "x", "hello", "ü".repeat(1000)]) {
    equal(textOf(await ask(tunnel.door, bytesOf(question))), question);
  }
});

Deno.test("32 MiB in both directions at once arrive unharmed", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address);
  const question = noise(32 * MIB);
  const reply = await ask(tunnel.door, question);
  equal(reply.length, question.length);
  equal(await digest(reply), await digest(question));
  const { bytesFromVisitors, bytesToVisitors } = tunnel.server.service();
  deepEqual([bytesFromVisitors, bytesToVisitors], [question.length, question.length]);
});

Deno.test("a visitor that has ended its direction gets the whole reply", async () => {
  const reply = noise(3 * MIB, 2);
  await using local = tcpService(async (connection) => {
    const question = await readToEnd(connection);
    await writeAll(connection, bytesOf(String(question.length)));
    await writeAll(connection, reply);
  });
  await using tunnel = await tunnelTo(local.address);
  using visitor = await visit(tunnel.door);
  await writeAll(visitor, noise(100_000));
  await visitor.closeWrite();
  equal(textOf(await readBytes(visitor, 6)), "100000");
  equal(await digest(await readToEnd(visitor)), await digest(reply));
});

Deno.test("a service that has ended its direction gets the whole question", async () => {
  const question = noise(3 * MIB, 3);
  const { promise: got, resolve } = Promise.withResolvers<string>();
  await using local = tcpService(async (connection) => {
    await writeAll(connection, bytesOf("goodbye"));
    await connection.closeWrite();
    resolve(await digest(await readToEnd(connection)));
  });
  await using tunnel = await tunnelTo(local.address);
  using visitor = await visit(tunnel.door);
  equal(textOf(await readToEnd(visitor)), "goodbye");
  await writeAll(visitor, question);
  await visitor.closeWrite();
  equal(await got, await digest(question));
});

Deno.test("a service that speaks first is heard by a visitor that says nothing", async () => {
  await using local = tcpService(async (connection, signal) => {
    await writeAll(connection, bytesOf("220 ready"));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  await using tunnel = await tunnelTo(local.address);
  using visitor = await visit(tunnel.door);
  equal(textOf(await readBytes(visitor, 9)), "220 ready");
});

Deno.test("a visitor that goes away takes the connection to the service along", async () => {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  await using local = tcpService(async (connection) => {
    await closedByPeer(connection);
    resolve();
  });
  await using tunnel = await tunnelTo(local.address);
  const visitor = await visit(tunnel.door);
  await writeAll(visitor, bytesOf("x"));
  await tunnel.client.events.until("stream-opened");
  visitor.close();
  await ended;
  await tunnel.server.events.until("stream-closed");
  await tunnel.client.events.until("stream-closed");
});

Deno.test("400 visitors one after the other", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address);
  for (let i = 0; i < 400; i++) {
    const question = bytesOf(`visitor ${i}`);
    deepEqual(await ask(tunnel.door, question), question);
  }
  equal(tunnel.server.service().visitorsTotal, 400);
  equal(tunnel.client.service().visitorsTotal, 400);
});

Deno.test("200 visitors at once, each gets its own bytes", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address);
  const visitors = await Promise.all(Array.from({ length: 200 }, () => visit(tunnel.door)));
  try {
    await Promise.all(visitors.map((visitor, i) => writeAll(visitor, noise(20_000, i + 1))));
    const replies = await Promise.all(visitors.map((visitor) => readBytes(visitor, 20_000)));
    for (const [i, reply] of replies.entries()) deepEqual(reply, noise(20_000, i + 1));
    equal(tunnel.server.service().visitors, 200);
    const { carriers, dataChannelsInUse } = tunnel.server.service();
    equal(carriers.streams + dataChannelsInUse, 200);
    equal(tunnel.server.server.status().streams, 200);
    equal(tunnel.client.client.status().streams, 200);
  } finally {
    for (const visitor of visitors) visitor.close();
  }
  await eventually("all streams closed", () => tunnel.client.service().visitors, (n) => n === 0);
  await eventually("all streams closed", () => tunnel.server.service().visitors, (n) => n === 0);
  // Nobody but the client is left: a control channel and a reserve, made larger by those who waited.
  await eventually(
    "only the client's connections",
    () => {
      const { carriers, dataChannelsIdle } = tunnel.server.service();
      return tunnel.server.server.status().connections - carriers.open - dataChannelsIdle;
    },
    (n) => n === 1,
  );
  const reserve = tunnel.server.service().dataChannelsIdle;
  ok(reserve >= 2 && reserve <= 88, `${reserve} in reserve`);
});

Deno.test("a visitor that does not read stops its own service and nobody else's", async () => {
  let written = 0;
  await using greedy = tcpService(async (connection) => {
    const chunk = new Uint8Array(65_536);
    for (;;) {
      await writeAll(connection, chunk);
      written += chunk.length;
    }
  });
  await using polite = echoService();
  await using server = await serverFor({ greedy: {}, polite: {} });
  await using _client = await clientFor(server, {
    greedy: greedy.address,
    polite: polite.address,
  });
  const door = await server.door("greedy");
  const lazy = await Promise.all([visit(door), visit(door), visit(door), visit(door)]);
  try {
    let before = -1;
    await eventually("the service to be stopped by backpressure", async () => {
      before = written;
      await pause(300);
      return written - before;
    }, (more) => written > 0 && more === 0);
    // Three pairs of kernel buffers of a few megabytes, and two buffers of 256 KiB of ours each.
    ok(written < lazy.length * 40 * MIB, `${written} bytes were taken for who reads none`);
    const question = noise(2 * MIB);
    deepEqual(await ask(await server.door("polite"), question), question);
    // It was held back, not broken.
    for (const visitor of lazy) await readBytes(visitor, 8 * MIB);
  } finally {
    for (const visitor of lazy) visitor.close();
  }
});

Deno.test("a service that is down costs the visitor a close and nothing else", async () => {
  const local = echoService();
  await using tunnel = await tunnelTo(local.address);
  await local.stop();
  using visitor = await visit(tunnel.door);
  await closedByPeer(visitor);
  const { reason } = await tunnel.client.events.until("local-unreachable");
  equal(reason, `127.0.0.1:${local.address.port} refused the connection`);
  equal(tunnel.client.service().visitorsFailed, 1);
  await using _back = echoService(local.address);
  equal(textOf(await ask(tunnel.door, bytesOf("back"))), "back");
});

const ipv6 = canListen("::1");

Deno.test("IPv6 at every place", { ignore: !ipv6 }, async () => {
  await using local = echoService({ hostname: "::1" });
  await using tunnel = await tunnelTo(local.address, {
    server: { bind_addr: "[::1]:0" },
    service: { bind_addr: "[::1]:0" },
  });
  equal(tunnel.door.hostname, "::1");
  equal(textOf(await ask(tunnel.door, bytesOf("six"))), "six");
  equal((await tunnel.server.events.until("stream-opened")).peer.hostname, "::1");
});

Deno.test("localhost at every place", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: { bind_addr: "localhost:0" } }, {
    bind_addr: "localhost:0",
  });
  for (const prefer_ipv6 of [false, true]) {
    await using client = await clientFor(
      `localhost:${server.server.address.port}`,
      { it: { local_addr: `localhost:${local.address.port}` } },
      { prefer_ipv6 },
    );
    equal(textOf(await ask(await server.door(), bytesOf("name"))), "name");
    await client[Symbol.asyncDispose]();
    await eventually("the door to close", () => server.service().address, (at) => at === undefined);
  }
});

Deno.test("nodelay may be off", async () => {
  await using local = echoService();
  await using tunnel = await tunnelTo(local.address, {
    service: { nodelay: false },
    server: { transport: { tcp: { nodelay: false, keepalive_secs: 0 } } },
    client: { transport: { tcp: { nodelay: false, keepalive_secs: 0 } } },
  });
  const question = noise(MIB);
  deepEqual(await ask(tunnel.door, question), question);
});

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
