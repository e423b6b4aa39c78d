/**
 * A server of ours, and clients that misuse carriers. Others must not notice.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { FRAME, MOST_CONTROL, MOST_DATA, RESET } from "../../src/carrier/frame.ts";
import { encodeContinue } from "../../src/protocol/messages.ts";
import {
  bytesOf,
  closedByPeer,
  closeQuietly,
  noise,
  readBytes,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import { rawClient } from "../support/raw.ts";
import {
  type CarryingClient,
  carryingClient,
  frameBytes,
  openCarrier,
  type RawCarrier,
  u32,
} from "../support/raw_carrier.ts";
import { Visits } from "../support/strangers.ts";
import { type Victim, victim } from "../support/victim.ts";
import type { PartialServer } from "../support/tunnel.ts";
import { CLIENT_MISDEEDS } from "./misdeeds_of_clients.ts";

/** Carriers whatever the environment says of them. */
const carrying = (options: PartialServer = {}, type: "tcp" | "udp" = "tcp") =>
  victim({ carriers: 4, ...options }, { type });

const FULL = new Uint8Array(MOST_DATA);

/** A client with a carrier, on which a visitor of its service has a stream. */
async function attack(
  target: Victim,
  act: (
    carrier: RawCarrier,
    stream: number,
    visitor: Deno.TcpConn,
    client: CarryingClient,
  ) => Promise<void>,
): Promise<void> {
  const { server } = target;
  await eventually("nobody", () => server.service("it"), ({ client }) => client === undefined);
  server.events.forget();
  {
    using client = await carryingClient(target.at);
    using carrier = await client.openCarrier();
    await server.events.until("carrier-opened", ({ service }) => service === "it");
    using visitor = await visit(await server.door("it"));
    await act(carrier, await carrier.opened(), visitor, client);
  }
  await target.unharmed();
  await eventually(
    "nothing left",
    () => server.service("it").carriers,
    ({ open, streams, queuedBytes }) => open + streams + queuedBytes === 0,
  );
}

Deno.test("a client that misuses a carrier loses it, with its visitors; others are served", {
  timeout: 120_000,
}, async (t) => {
  await using target = await carrying();
  await using visits = new Visits(await target.server.door("bystander"));
  for (const { act, name, reason } of CLIENT_MISDEEDS) {
    await t.step(name, () =>
      attack(target, async (carrier, stream, visitor) => {
        await act(carrier, stream);
        await closedByPeer(carrier.connection);
        await closedByPeer(visitor);
        const lost = await target.server.events.until("carrier-lost");
        equal(lost.service, "it");
        match(lost.reason, reason);
        // Whoever does that to a carrier may still have a sound control channel.
        deepEqual(target.server.events.all("control-channel-lost"), []);
      }));
  }
  const { count, failures } = await visits.end(6);
  deepEqual(failures, []);
  ok(count > 5, `${count} visits`);
});

Deno.test("what is odd and allowed on a carrier ends nothing but the stream it is about", async () => {
  await using target = await carrying();
  await attack(target, async (carrier, stream, visitor) => {
    await carrier.frame(200, 0, noise(MOST_CONTROL));
    await carrier.frame(0, stream + 9, noise(3));
    await carrier.frame(FRAME.pong, 7);
    await carrier.frame(FRAME.window, stream, u32(0));
    await carrier.frame(FRAME.window, stream, Uint8Array.of(1, 0, 0, 0, 9, 9, 9));
    await carrier.frame(FRAME.ping, 0, noise(10));
    await carrier.until(FRAME.pong);
    await writeAll(visitor, bytesOf("hello"));
    deepEqual((await carrier.until(FRAME.data)).payload, bytesOf("hello"));
    // A frame one byte at a time.
    for (const byte of frameBytes(FRAME.data, stream, bytesOf("world"))) {
      await carrier.raw(Uint8Array.of(byte));
    }
    deepEqual(await readBytes(visitor, 5), bytesOf("world"));
    for (const code of [[], [RESET.over], [RESET.unreachable], [RESET.cut], [77, 1, 2]]) {
      using other = await visit(await target.server.door("it"));
      const number = await carrier.opened();
      await carrier.frame(FRAME.reset, number, Uint8Array.from(code));
      await closedByPeer(other);
      // What crosses the reset is dropped.
      await carrier.frame(FRAME.data, number, FULL);
      await carrier.frame(FRAME.window, number, u32(5));
      await carrier.frame(FRAME.fin, number);
    }
    await carrier.frame(FRAME.ping, 0);
    await carrier.until(FRAME.pong);
    await writeAll(visitor, bytesOf("still"));
    deepEqual((await carrier.until(FRAME.data)).payload, bytesOf("still"));
    deepEqual(target.server.events.all("carrier-lost"), []);
  });
});

Deno.test("pings that nobody reads the answers of: bounded memory, others are served", {
  timeout: 60_000,
}, async () => {
  await using target = await carrying();
  await using visits = new Visits(await target.server.door("bystander"));
  await attack(target, async (carrier) => {
    const pings = new Uint8Array(8 * 8192);
    for (let at = 0; at < pings.length; at += 8) pings.set(frameBytes(FRAME.ping, 0), at);
    const end = performance.now() + 3000;
    let most = 0;
    while (performance.now() < end) {
      await carrier.raw(pings);
      most = Math.max(most, target.server.service("it").carriers.queuedBytes);
    }
    ok(most < 5 << 20, `${most} bytes wait`);
  });
  const { failures, p99 } = await visits.end();
  deepEqual(failures, []);
  console.log(`  visits of another service meanwhile: p99 ${p99.toFixed(1)} ms`);
});

Deno.test("a client that reads nothing: what its visitors send is held within bounds", {
  timeout: 60_000,
}, async () => {
  await using target = await carrying();
  await attack(target, async (carrier, stream) => {
    const door = await target.server.door("it");
    const visitors = await Promise.all(Array.from({ length: 20 }, () => visit(door)));
    const bulk = new Uint8Array(1 << 20);
    const writing = visitors.map((visitor) => writeAll(visitor, bulk).catch(() => {}));
    let most = 0;
    for (let i = 0; i < 100; i++) {
      // Credit for everybody, and nobody reads.
      for (let n = stream; n <= stream + 20; n++) {
        await carrier.frame(FRAME.window, n, u32(1 << 20));
      }
      await pause(10);
      most = Math.max(most, target.server.service("it").carriers.queuedBytes);
    }
    // One buffer for all, and a chunk for each.
    ok(most < 4 << 20, `${most} bytes wait`);
    for (const visitor of visitors) closeQuietly(visitor);
    await Promise.all(writing);
  });
});

Deno.test("carriers beyond those that are welcome, and of nobody, are turned away", async () => {
  await using target = await carrying();
  const { events } = target.server;
  {
    using client = await carryingClient(target.at);
    equal(client.welcome, 4);
    const carriers = await Promise.all(Array.from({ length: 4 }, () => client.openCarrier()));
    await eventually("4", () => target.server.service("it").carriers.open, (open) => open === 4);
    for (let i = 0; i < 20; i++) {
      events.forget();
      using more = await client.openCarrier();
      await closedByPeer(more.connection);
      match((await events.until("handshake-failed")).reason, /more carriers/);
    }
    for (const key of [noise(32), new Uint8Array(32)]) {
      events.forget();
      using stranger = await openCarrier(target.at, key);
      await closedByPeer(stranger.connection);
      match((await events.until("handshake-failed")).reason, /session that is unknown or over/);
    }
    equal(target.server.service("it").carriers.open, 4);
    for (const carrier of carriers) carrier[Symbol.dispose]();
  }
  await target.unharmed();
  // Who has not said that it can do carriers is not welcome to have one.
  using stock = await rawClient(target.at);
  events.forget();
  using carrier = await openCarrier(target.at, stock.key);
  await closedByPeer(carrier.connection);
  match((await events.until("handshake-failed")).reason, /more carriers/);
});

Deno.test(
  "carriers opened and cut by the thousand leave nothing",
  { timeout: 60_000 },
  async () => {
    await using target = await carrying({
      max_pending_handshakes_per_ip: 200,
      max_handshake_rate_per_ip: 100_000,
    });
    {
      using client = await carryingClient(target.at);
      for (let i = 0; i < 1000; i++) {
        using carrier = await client.openCarrier();
        if (i % 2 === 0) await carrier.frame(FRAME.ping, 0);
        if (i % 10 === 0) await carrier.until(FRAME.pong).catch(() => {});
      }
    }
    await target.unharmed();
    equal(target.server.service("it").carriers.open, 0);
  },
);

Deno.test("a client that never follows a stream to its data channel holds up nobody else", {
  timeout: 60_000,
}, async () => {
  await using target = await carrying();
  await attack(target, async (carrier, stream, visitor, client) => {
    const { server } = target;
    using channel = await client.openDataChannel();
    await eventually("it", () => server.service("it").dataChannelsIdle, (n) => n === 1);
    await carrier.frame(FRAME.window, stream, u32(1 << 20));
    const writing = writeAll(visitor, new Uint8Array(1 << 20)).catch(() => {});
    equal((await carrier.until(FRAME.move)).stream, stream);
    deepEqual(await readBytes(channel, 8), encodeContinue(stream));
    deepEqual(server.service("it").carriers.moved, 1);
    using other = await visit(await server.door("it"));
    const number = await carrier.opened();
    await writeAll(other, bytesOf("hello"));
    const { payload, stream: said } = await carrier.until(FRAME.data);
    deepEqual([said, payload], [number, bytesOf("hello")]);
    // What comes on the carrier for it is still its own, until the client goes on elsewhere too.
    await carrier.frame(FRAME.data, stream, bytesOf("late"));
    deepEqual(await readBytes(visitor, 4), bytesOf("late"));
    await carrier.frame(FRAME.data, number, bytesOf("world"));
    deepEqual(await readBytes(other, 5), bytesOf("world"));
    deepEqual(server.events.all("carrier-lost"), []);
    visitor.close();
    await writing;
  });
});

Deno.test("data channels for moves that are cut at once: the stream ends, the carrier does not", {
  timeout: 60_000,
}, async () => {
  await using target = await carrying();
  await attack(target, async (carrier, stream, visitor, client) => {
    const { server } = target;
    for (let i = 0; i < 50; i++) {
      const channel = await client.openDataChannel();
      await channel.write(bytesOf("!"));
      channel.close();
    }
    await carrier.frame(FRAME.window, stream, u32(1 << 20));
    await writeAll(visitor, new Uint8Array(300_000));
    // It stays where it is: nothing came that it could go on over.
    for (let got = 0; got < 300_000;) got += (await carrier.until(FRAME.data)).payload.length;
    equal(server.service("it").carriers.moved, 0);
    equal(server.service("it").carriers.streams, 1);
  });
});
