/**
 * A client of ours, and servers that are none or mean harm.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createNonce } from "../src/protocol/auth.ts";
import { encodeAck, encodeHello, HELLO_LENGTH } from "../src/protocol/messages.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { udpEcho } from "./support/datagrams.ts";
import {
  bytesOf,
  closedByPeer,
  echoService,
  noise,
  readBytes,
  tcpService,
  textOf,
  writeAll,
} from "./support/local_services.ts";
import { eventually } from "./support/patience.ts";
import { aborted, forwardTcp, forwardUdp, rawServer, udpFrame } from "./support/raw.ts";
import { clientFor } from "./support/tunnel.ts";

const RETRY = { retry_interval: "10ms" } as const;
const VISITOR = { hostname: "192.0.2.1", port: 4000 };

const answers: readonly [name: string, bytes: Uint8Array, reason: RegExp][] = [
  [
    "an HTTP reply",
    bytesOf("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    /^expected a rathole hello, got an HTTP reply: do both ends have the same transport\.type\?$/,
  ],
  ["garbage", noise(100, 9), /^expected a rathole hello, got bytes /],
  ["a data channel's hello", Uint8Array.of(1, 0, 0, 0, 1, ...noise(32)), /a data channel's hello/],
  ["version 2", Uint8Array.of(0, 0, 0, 0, 2, ...noise(32)), /protocol version 2/],
  [
    "a garbage acknowledgement",
    Uint8Array.of(...encodeHello({ kind: "control", digest: noise(32) }), 9, 9, 9, 9),
    /^expected an acknowledgement, got bytes 09 09 09 09$/,
  ],
  ["nothing", new Uint8Array(0), /the peer closed the connection/],
];

Deno.test("a server that is none is told from its answer, and tried again", async () => {
  for (const [name, bytes, reason] of answers) {
    await using server = tcpService(async (connection) => {
      await writeAll(connection, bytes);
      await connection.closeWrite();
      await closedByPeer(connection);
    });
    await using client = await clientFor(
      formatAddress(server.address),
      { it: { local_addr: "127.0.0.1:1" } },
      RETRY,
    );
    const event = await client.events.until("control-channel-failed");
    match(event.reason, reason, `${name}: ${event.reason}`);
    await eventually("another attempt", () => server.accepted, (n) => n > 1);
    equal(client.service().state !== "gave-up", true);
  }
});

Deno.test("a server's handshake cut at any byte is survived", async () => {
  const answer = new Uint8Array([
    ...encodeHello({ kind: "control", digest: await createNonce() }),
    ...encodeAck("ok"),
  ]);
  let length = 0;
  const { promise: whole, resolve } = Promise.withResolvers<void>();
  await using server = tcpService(async (connection) => {
    const part = answer.subarray(0, length++);
    await readBytes(connection, HELLO_LENGTH);
    await writeAll(connection, part);
    if (part.length === answer.length) resolve();
  });
  await using client = await clientFor(
    formatAddress(server.address),
    { it: { local_addr: "127.0.0.1:1" } },
    RETRY,
  );
  await whole;
  await client.events.until("control-channel-lost");
  const failed = client.events.all("control-channel-failed");
  equal(failed.length, answer.length);
});

Deno.test("a server that asks for data channels without end gets 500", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await using server = rawServer(async ({ create, signal }) => {
    await create(100_000);
    resolve();
    await aborted(signal);
  });
  await using client = await clientFor(formatAddress(server.address), {
    it: { local_addr: "127.0.0.1:1" },
  });
  await asked;
  await eventually("500 data channels", () => server.dataChannels, (n) => n >= 500);
  // Those that are still on their way would be here now.
  await new Promise((resolve) => setTimeout(resolve, 200));
  equal(server.dataChannels, 500);
  equal(client.service().state, "established");
  equal(client.events.all("data-channel-failed").length, 0);
});

Deno.test("the command and what follows it may come in one piece or in many", async () => {
  await using local = echoService();
  const replies: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  await using server = rawServer(async ({ create, dataChannel, signal }) => {
    for (const size of [1, 3, 4, 5, 9]) {
      await create();
      const channel = await dataChannel();
      channel.setNoDelay(true);
      const bytes = new Uint8Array([...forwardTcp, ...bytesOf("hello")]);
      for (let at = 0; at < bytes.length; at += size) {
        await writeAll(channel, bytes.subarray(at, at + size));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      replies.push(textOf(await readBytes(channel, 5)));
    }
    resolve();
    await aborted(signal);
  });
  await using _client = await clientFor(formatAddress(server.address), { it: local.address });
  await done;
  deepEqual(replies, Array(5).fill("hello"));
});

Deno.test("a data channel with the wrong command, garbage, or an early end is dropped", async () => {
  await using local = echoService();
  const { promise: done, resolve } = Promise.withResolvers<string>();
  await using server = rawServer(async ({ create, dataChannel, signal }) => {
    for (const bytes of [forwardUdp, noise(4, 5), bytesOf("HTTP/1.1 200 OK\r\n")]) {
      await create();
      const channel = await dataChannel();
      await writeAll(channel, bytes);
      await closedByPeer(channel);
    }
    for (let length = 0; length < 4; length++) {
      await create();
      const channel = await dataChannel();
      await writeAll(channel, forwardTcp.subarray(0, length));
      await channel.closeWrite();
      await closedByPeer(channel);
    }
    await create();
    const channel = await dataChannel();
    await writeAll(channel, forwardTcp);
    await writeAll(channel, bytesOf("fine"));
    resolve(textOf(await readBytes(channel, 4)));
    await aborted(signal);
  });
  await using client = await clientFor(formatAddress(server.address), { it: local.address });
  equal(await done, "fine");
  equal(client.events.all("control-channel-lost").length, 0);
  match(
    (await client.events.until("data-channel-failed")).reason,
    /has type = "(udp|tcp)" at the server/,
  );
  equal(local.accepted, 1);
});

Deno.test("garbage on the control channel after the acknowledgement starts it anew", async () => {
  await using server = rawServer(async ({ control, signal }) => {
    await writeAll(control, noise(4, 3));
    await aborted(signal);
  });
  await using client = await clientFor(formatAddress(server.address), {
    it: { local_addr: "127.0.0.1:1" },
  }, RETRY);
  const { reason } = await client.events.until("control-channel-lost");
  match(reason, /^expected a command on the control channel, got bytes ([\da-f]{2} ?){4}$/);
  await eventually("another attempt", () => server.accepted, (n) => n > 2);
});

Deno.test("garbage instead of datagrams costs the server its data channel", async () => {
  await using local = await udpEcho();
  const { promise: done, resolve } = Promise.withResolvers<Uint8Array>();
  const frame = udpFrame(VISITOR, bytesOf("hello"));
  await using server = rawServer(async ({ create, dataChannel, signal }) => {
    for (const garbage of [noise(500, 2), Uint8Array.of(12, 1, 0, 0, 0, ...noise(20)), frame]) {
      await create();
      const channel = await dataChannel();
      await writeAll(channel, forwardUdp);
      await writeAll(channel, garbage);
      if (garbage === frame) resolve(await readBytes(channel, frame.length));
      else await closedByPeer(channel);
    }
    await aborted(signal);
  });
  await using client = await clientFor(formatAddress(server.address), {
    it: { type: "udp", local_addr: formatAddress(local.address) },
  });
  deepEqual(await done, frame);
  equal(client.events.all("control-channel-lost").length, 0);
});

Deno.test("a server that accepts and says nothing is given up", { timeout: 60_000 }, async () => {
  await using server = tcpService((_connection, signal) => aborted(signal));
  const start = performance.now();
  await using client = await clientFor(formatAddress(server.address), {
    it: { local_addr: "127.0.0.1:1" },
  });
  const { reason } = await client.events.until("control-channel-failed", () => true, 50_000);
  match(reason, /^connecting to the server took more than 15 s$/);
  ok(performance.now() - start > 14_000);
});
