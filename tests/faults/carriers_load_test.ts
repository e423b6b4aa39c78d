/**
 * As many streams on one carrier as anybody has visitors, and visitors who come and vanish.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-run, to count descriptors
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Socket } from "node:net";
import type { Stream } from "../../src/carrier/stream.ts";
import { carried, carriedThrough, carriersBecome, guests } from "../support/carried.ts";
import { type CarrierPair, carrierPair } from "../support/carrier_pair.ts";
import { countable, descriptors } from "../support/descriptors.ts";
import {
  ask,
  bytesOf,
  copy,
  echoed,
  echoService,
  noise,
  readBytes,
  tcpService,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { memoryPair } from "../support/memory_connection.ts";
import { eventually, pause, soon } from "../support/patience.ts";
import { tcpPair } from "../support/tcp_pair.ts";
import { until } from "../support/turns.ts";

/** Echoes on a stream until its end, which it returns. */
async function echo(stream: Stream): Promise<void> {
  try {
    for (;;) {
      const chunk = await stream.read();
      if (chunk === null) return await stream.closeWrite();
      await stream.write(chunk);
    }
  } catch {
    // It was cut.
  }
}

/** Exactly these bytes, read from a stream. */
async function expectBytes(stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const chunk = await stream.read();
    ok(chunk !== null, `the end after ${at} bytes`);
    deepEqual(chunk.slice(), bytes.slice(at, at + chunk.length));
    at += chunk.length;
  }
}

function echoing(pair: CarrierPair): { serve(): void } {
  let served = 0;
  return {
    serve() {
      while (served < pair.accepted.length) {
        const stream = pair.accepted[served++];
        if (stream !== undefined) void echo(stream);
      }
    },
  };
}

for (const [name, connect] of [["memory", memoryPair], ["tcp", tcpPair]] as const) {
  Deno.test(`10,000 streams on one carrier over ${name}, each with its own bytes, to the end`, {
    timeout: 60_000,
  }, async () => {
    const COUNT = 10_000;
    const pair = carrierPair(await connect());
    const { serve } = echoing(pair);
    const streams = Array.from({ length: COUNT }, () => pair.begin());
    await until(() => pair.accepted.length === COUNT, "all streams are accepted");
    serve();
    equal(pair.server.carrier.streams, COUNT);
    const start = performance.now();
    await soon(
      "all echoes",
      Promise.all(streams.map(async (stream, i) => {
        const bytes = noise(100 + i % 400, i + 1);
        await stream.write(bytes);
        await expectBytes(stream, bytes);
      })),
      30_000,
    );
    console.log(`  ${COUNT} echoes in ${(performance.now() - start).toFixed(0)} ms`);
    equal(pair.server.carrier.queued + pair.client.carrier.queued, 0);
    await Promise.all(streams.map(async (stream) => {
      await stream.closeWrite();
      equal(await stream.read(), null);
    }));
    await until(
      () => pair.server.carrier.streams + pair.client.carrier.streams === 0,
      "all streams are over",
    );
    pair.server.carrier.retire();
    pair.client.carrier.retire();
    await until(() => pair.server.over().state === "fulfilled", "the carrier has ended");
    await until(() => pair.client.over().state === "fulfilled", "so has its other end");
  });
}

Deno.test("1,000 visitors on one carrier, twice, all at once", {
  ignore: !countable,
  timeout: 60_000,
}, async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address, { server: { max_connections: 5000 } });
  const { client, door, server } = tunnel;
  const before = await descriptors();
  for (let round = 0; round < 2; round++) {
    using visitors = await guests(door, 1000);
    equal(server.service().carriers.streams, 1000);
    equal(server.service().dataChannelsInUse, 0);
    const start = performance.now();
    await visitors.works();
    console.log(`  1,000 echoes in ${(performance.now() - start).toFixed(0)} ms`);
  }
  await eventually("no visitor", () => client.service().visitors, (count) => count === 0);
  await carriersBecome(server, { open: 1, streams: 0, queuedBytes: 0 });
  await eventually("descriptors as before", descriptors, (now) => now <= before + 2);
});

/** Connects, says something, and resets the connection. */
function vanish(port: number, bytes: Uint8Array): Promise<void> {
  const socket = new Socket();
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("close", () => resolve());
  socket.on("error", () => {});
  socket.connect(port, "127.0.0.1", () => {
    if (bytes.length === 0) socket.resetAndDestroy();
    else socket.write(bytes, () => socket.resetAndDestroy());
  });
  return promise;
}

Deno.test("5,000 visitors who reset their connection: no stream and no descriptor is left", {
  ignore: !countable,
  timeout: 120_000,
}, async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address);
  const { client, door, server } = tunnel;
  await ask(door, bytesOf("warm"));
  const usual = server.server.status().connections;
  await eventually("idle", () => server.service().carriers.streams, (count) => count === 0);
  const before = await descriptors();
  for (let round = 0; round < 100; round++) {
    await soon(
      "resets",
      Promise.all(Array.from({ length: 50 }, (_, i) => vanish(door.port, noise(i * 40)))),
    );
  }
  await eventually("no visitor", () => server.server.status().streams, (count) => count === 0);
  await eventually("no visitor", () => client.service().visitors, (count) => count === 0);
  for (const end of [server, client]) {
    await carriersBecome(end, { open: 1, streams: 0, queuedBytes: 0 });
  }
  await eventually("connections", () => server.server.status().connections, (n) => n === usual);
  await eventually("descriptors as before", descriptors, (now) => now <= before + 2);
  deepEqual(await echoed(door, bytesOf("still")), bytesOf("still"));
});

Deno.test(
  "20 visitors who never read among 100 who do: those go on, little is held for the others",
  {
    timeout: 120_000,
  },
  async () => {
    const chunk = new Uint8Array(65_536);
    await using local = tcpService(async (connection) => {
      const [first = 0] = await readBytes(connection, 1);
      if (first !== 1) return await copy(connection, connection);
      for (;;) await writeAll(connection, chunk);
    });
    await using tunnel = await carriedThrough({ it: local.address });
    const { client, door, server, tap } = tunnel;
    // There is nothing to move to: all stay.
    tap.refused.add("data");
    for (const link of tap.of("data")) link.cut();
    const fast = await Promise.all(Array.from({ length: 100 }, () => visit(door)));
    const slow: Deno.TcpConn[] = [];
    try {
      await Promise.all(fast.map((visitor) => writeAll(visitor, Uint8Array.of(2))));
      const question = noise(1000);
      const round = () =>
        Promise.all(fast.map(async (visitor) => {
          await writeAll(visitor, question);
          deepEqual(await readBytes(visitor, question.length), question);
        }));
      const time = async (rounds: number) => {
        const start = performance.now();
        for (let i = 0; i < rounds; i++) await soon("a round", round(), 10_000);
        return (performance.now() - start) / rounds;
      };
      await time(10);
      const alone = await time(20);
      for (let i = 0; i < 20; i++) {
        const visitor = await visit(door);
        slow.push(visitor);
        await writeAll(visitor, Uint8Array.of(1));
      }
      await eventually(
        "the slow ones to be stuck",
        async () => {
          const before = server.service().bytesToVisitors;
          await pause(300);
          return server.service().bytesToVisitors - before;
        },
        (more) => more === 0,
        60_000,
      );
      const among = await time(20);
      const { moved, streams } = server.service().carriers;
      deepEqual({ moved, streams }, { moved: 0, streams: 120 });
      for (const end of [server, client]) {
        const { queuedBytes } = end.service().carriers;
        // A window for each at the server, a chunk for each at the client.
        ok(queuedBytes <= 20 << 18, `${queuedBytes} bytes wait`);
      }
      console.log(
        `  a round of 100 takes ${alone.toFixed(1)} ms, ${among.toFixed(1)} ms with 20 stuck; ` +
          `${server.service().carriers.queuedBytes >> 10} KiB wait at the server, ` +
          `${client.service().carriers.queuedBytes >> 10} KiB at the client`,
      );
      ok(among < 10 * alone + 50, `${among} ms among slow ones, ${alone} ms without`);
    } finally {
      for (const visitor of [...fast, ...slow]) {
        visitor.close();
      }
    }
  },
);
