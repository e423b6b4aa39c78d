/**
 * A client of ours, and servers that misuse carriers.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { MOST_STREAMS } from "../../src/carrier/carrier.ts";
import { FRAME, MOST_DATA, RESET } from "../../src/carrier/frame.ts";
import { encodeContinue } from "../../src/protocol/messages.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { concat } from "../fuzz/engine/pieces.ts";
import { NOBODY } from "../support/client_updates.ts";
import {
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  type TcpService,
  tcpService,
  writeAll,
} from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import { aborted, type RawServer, rawServer, type RawSession } from "../support/raw.ts";
import { frameBytes, RawCarrier, welcome } from "../support/raw_carrier.ts";
import { clientFor, type WatchedClient } from "../support/tunnel.ts";
import { SERVER_MISDEEDS } from "./misdeeds_of_servers.ts";

const FULL = new Uint8Array(MOST_DATA);
const TCP = Uint8Array.of(0);
const UDP = Uint8Array.of(1);

/** What a test has: the client, and its first carrier in the server's hands. */
interface Scene extends AsyncDisposable {
  readonly client: WatchedClient;
  readonly server: RawServer;
  readonly session: RawSession;
  readonly carrier: RawCarrier;
}

/** A client whose service listens there, at a server that has welcomed so many carriers. */
async function scene(
  local: Address | string,
  { carriers = 1, count = 1, type = "tcp" as "tcp" | "udp" } = {},
): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { promise, resolve } = Promise.withResolvers<RawSession>();
  const server = stack.use(rawServer(async (session) => {
    await writeAll(session.control, welcome(count));
    resolve(session);
    await aborted(session.signal);
  }, { marked: true }));
  const local_addr = typeof local === "string" ? local : formatAddress(local);
  const client = stack.use(
    await clientFor(formatAddress(server.address), { it: { local_addr, type } }, {
      carriers,
      heartbeat_timeout: 0,
    }),
  );
  const session = await promise;
  const carrier = stack.use(new RawCarrier(await session.carrier()));
  await client.events.until("carrier-opened");
  const owned = stack.move();
  return { client, server, session, carrier, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Fails unless the client opens another carrier, and serves a visitor on it. */
async function recovers({ client, session }: Scene): Promise<void> {
  using next = new RawCarrier(await session.carrier());
  await next.frame(FRAME.open, 1, TCP);
  await next.frame(FRAME.data, 1, bytesOf("again"));
  deepEqual((await next.until(FRAME.data)).payload, bytesOf("again"));
  deepEqual(client.events.all("control-channel-lost"), []);
}

Deno.test("a server that misuses a carrier loses it; the client opens another", {
  timeout: 120_000,
}, async (t) => {
  // Echoes what is small, and does not read what is not.
  await using local: TcpService = tcpService(async (connection, signal) => {
    const buffer = new Uint8Array(100);
    const count = await connection.read(buffer);
    if (count === null || count === 100) return await aborted(signal);
    await writeAll(connection, buffer.subarray(0, count));
    await connection.read(buffer);
  });
  for (const { act, name, reason } of SERVER_MISDEEDS) {
    await t.step(name, async () => {
      await using here = await scene(local.address);
      await act(here.carrier);
      await closedByPeer(here.carrier.connection);
      match((await here.client.events.until("carrier-lost")).reason, reason);
      await recovers(here);
    });
  }
});

Deno.test("20,000 streams to a service that is down: each is refused, nothing is left", {
  timeout: 60_000,
}, async () => {
  await using here = await scene(NOBODY);
  const { carrier, client } = here;
  const [count, batch] = [20_000, 100];
  let resets = 0;
  const reading = (async () => {
    while (resets < count) {
      const { payload, type } = await carrier.next();
      if (type !== FRAME.reset) continue;
      equal(payload[0], RESET.unreachable);
      resets++;
    }
  })();
  for (let first = 1; first <= count; first += batch) {
    // More at once than a carrier may have would end it.
    await eventually("resets", () => first - resets, (under) => under < 5_000);
    await carrier.raw(
      concat(Array.from({ length: batch }, (_, i) => frameBytes(FRAME.open, first + i, TCP))),
    );
  }
  await reading;
  equal(client.service().visitorsFailed, count);
  const { open, streams, queuedBytes } = client.service().carriers;
  deepEqual({ open, streams, queuedBytes }, { open: 1, streams: 0, queuedBytes: 0 });
});

Deno.test(`more than ${MOST_STREAMS} streams at once end the carrier`, {
  timeout: 60_000,
}, async () => {
  // Datagrams need no socket before there is one.
  await using here = await scene(NOBODY, { type: "udp" });
  const { carrier, client } = here;
  const frames = Array.from({ length: 20_000 }, (_, i) => frameBytes(FRAME.open, i + 1, UDP));
  await carrier.raw(concat(frames));
  await closedByPeer(carrier.connection);
  const { reason, streams } = await client.events.until("carrier-lost");
  match(reason, /more than 16384 streams/);
  equal(streams, MOST_STREAMS);
  equal(client.service().carriers.streams, 0);
  deepEqual(client.events.all("control-channel-lost"), []);
});

Deno.test("streams opened and reset without end: the service is not dialled without bound", {
  timeout: 60_000,
}, async () => {
  let [open, most] = [0, 0];
  await using local = tcpService(async (connection) => {
    most = Math.max(most, ++open);
    try {
      while (await connection.read(new Uint8Array(1000)) !== null);
    } finally {
      open--;
    }
  });
  await using here = await scene(local.address);
  const { carrier, client } = here;
  for (let first = 1; first <= 5_000; first += 100) {
    const frames = Array.from({ length: 100 }, (_, i) => [
      frameBytes(FRAME.open, first + i, TCP),
      frameBytes(FRAME.data, first + i, FULL),
      frameBytes(FRAME.reset, first + i, Uint8Array.of(RESET.cut)),
    ]).flat();
    await carrier.raw(concat(frames));
  }
  await carrier.frame(FRAME.ping, 0);
  await carrier.until(FRAME.pong);
  await eventually("all to be gone", () => client.service().visitors, (count) => count === 0);
  await eventually("no connection", () => open, (count) => count === 0);
  console.log(`  at most ${most} connections to the service at once`);
  const { streams, queuedBytes } = client.service().carriers;
  deepEqual({ streams, queuedBytes }, { streams: 0, queuedBytes: 0 });
});

Deno.test("`continue` for streams that there are not, by the hundred: channels are closed", {
  timeout: 60_000,
}, async () => {
  await using local = echoService();
  await using here = await scene(local.address);
  const { carrier, client, session } = here;
  await carrier.frame(FRAME.open, 7, TCP);
  for (let round = 0; round < 10; round++) {
    await session.create(30);
    await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      const channel = await session.dataChannel();
      // 0, those to come, and half a number.
      await writeAll(
        channel,
        encodeContinue(i === 0 ? 0 : 1000 * round + 8 + i).subarray(0, 8 - i % 2),
      );
      if (i % 2 === 1) await channel.closeWrite();
      await closedByPeer(channel);
    }));
  }
  await carrier.frame(FRAME.data, 7, bytesOf("still"));
  deepEqual((await carrier.until(FRAME.data)).payload, bytesOf("still"));
  equal(client.service().carriers.moved, 0);
  deepEqual(client.events.all("carrier-lost"), []);
  deepEqual(client.events.all("control-channel-lost"), []);
});

Deno.test("two data channels for one stream: the second is closed, the first goes on", async () => {
  await using local = echoService();
  await using here = await scene(local.address);
  const { carrier, client, session } = here;
  await carrier.frame(FRAME.open, 7, TCP);
  await session.create(2);
  const first = await session.dataChannel();
  const second = await session.dataChannel();
  await writeAll(first, encodeContinue(7));
  await carrier.until(FRAME.move);
  await writeAll(second, encodeContinue(7));
  await closedByPeer(second);
  await carrier.frame(FRAME.move, 7);
  await writeAll(first, bytesOf("hello"));
  deepEqual(await readBytes(first, 5), bytesOf("hello"));
  equal(client.service().carriers.moved, 1);
  await first.closeWrite();
  await closedByPeer(first);
});

Deno.test("255 carriers are welcome: no more than are wanted, and no busy loop if each is cut", {
  timeout: 60_000,
}, async () => {
  await using local = echoService();
  await using here = await scene(local.address, { carriers: 3, count: 255 });
  const { carrier, client, server, session } = here;
  await eventually("3", () => server.carriers, (count) => count === 3);
  await pause(200);
  equal(server.carriers, 3);
  carrier[Symbol.dispose]();
  const end = performance.now() + 4000;
  void (async () => {
    while (performance.now() < end) (await session.carrier()).close();
  })();
  for (let i = 0; i < 200; i++) await writeAll(session.control, welcome(i % 2 === 0 ? 0 : 255));
  await pause(4000);
  // Pauses grow: some for each of the three, not hundreds.
  ok(server.carriers < 60, `${server.carriers} carriers in 4 s`);
  deepEqual(client.events.all("control-channel-lost"), []);
  console.log(`  ${server.carriers} carriers dialled in 4 s for 3`);
});

Deno.test("how many are welcome may change at any time: as many are kept in the end", {
  timeout: 60_000,
}, async () => {
  await using local = echoService();
  await using here = await scene(local.address, { carriers: 3 });
  const { client, session } = here;
  void (async () => {
    for (;;) await session.carrier();
  })();
  for (const count of [3, 1, 2, 0, 3]) {
    await writeAll(session.control, welcome(count));
    await pause(50);
  }
  await eventually("3 carriers", () => client.service().carriers.open, (open) => open === 3);
});

Deno.test("a welcome that nobody understands ends the session, and says why", async () => {
  await using local = echoService();
  await using here = await scene(local.address);
  await writeAll(here.session.control, Uint8Array.of(2, 1, 7, 0));
  match((await here.client.events.until("control-channel-lost")).reason, /control channel/);
});
