/**
 * A server of ours, and clients that are none or mean harm. Others must not notice.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  bytesOf,
  closedByPeer,
  closeQuietly,
  expectLost,
  noise,
  readBytes,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { eventually } from "../support/patience.ts";
import { controlHello, dataHello, forwardUdp, rawClient } from "../support/raw.ts";
import { udpSocket } from "../support/datagrams.ts";
import { Visits } from "../support/strangers.ts";
import { sendAndReset, victim } from "../support/victim.ts";

const TIMEOUT = /^nothing valid came within handshake_timeout = 0\.3 s$/;

const greetings: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly reason: RegExp;
  readonly end?: boolean;
}[] = [
  {
    name: "an HTTP request",
    bytes: bytesOf("GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: a browser\r\n\r\n"),
    reason:
      /^expected a rathole hello, got an HTTP request: do both ends have the same transport\.type\?$/,
  },
  {
    name: "a TLS handshake",
    bytes: Uint8Array.of(0x16, 3, 1, 0, 200, 1, ...noise(200)),
    reason:
      /^expected a rathole hello, got a TLS handshake: do both ends have the same transport\.type\?$/,
  },
  {
    name: "an SSH greeting",
    bytes: bytesOf("SSH-2.0-OpenSSH_9.6 and a long comment after it\r\n"),
    reason:
      /^expected a rathole hello, got an SSH greeting: do both ends have the same transport\.type\?$/,
  },
  {
    name: "a megabyte of garbage",
    bytes: noise(1 << 20, 7),
    reason:
      /^expected a rathole hello, got bytes ([\da-f]{2} ){8}…: do both ends have the same transport\.type\?$/,
  },
  {
    name: "protocol version 2",
    bytes: Uint8Array.of(0, 0, 0, 0, 2, ...noise(32)),
    reason: /^the peer speaks protocol version 2, this program speaks 1/,
  },
  {
    name: "a data channel of nobody",
    bytes: dataHello(noise(32)),
    reason: /^a data channel of a session that is unknown or over$/,
  },
  { name: "silence", bytes: new Uint8Array(0), reason: TIMEOUT },
  { name: "half a hello and silence", bytes: new Uint8Array(20), reason: TIMEOUT },
  {
    name: "half a hello and the end",
    bytes: new Uint8Array(20),
    reason: /after 20 of 37 bytes of a message$/,
    end: true,
  },
  {
    name: "the end",
    bytes: new Uint8Array(0),
    reason: /^the peer closed the connection$/,
    end: true,
  },
];

Deno.test("greetings that are none are turned away, and the log says what came", async () => {
  await using target = await victim();
  for (const { name, bytes, reason, end = false } of greetings) {
    target.server.events.forget();
    using attacker = await visit(target.at);
    await writeAll(attacker, bytes).catch(expectLost);
    if (end) await attacker.closeWrite();
    const event = await target.server.events.until("handshake-failed");
    match(event.reason, reason, name);
    equal(event.peer.port, attacker.localAddr.port);
    await closedByPeer(attacker);
    await target.unharmed();
  }
});

Deno.test("an unknown service and a wrong token are told apart only after the proof", async () => {
  await using target = await victim();
  for (
    const [service, token, ack, reason] of [
      [
        "nobody",
        "a token of the tests",
        "service-unknown",
        /a service that is not configured; its log has the name$/,
      ],
      ["it", "wrong", "auth-failed", /a wrong token for service "it"$/],
    ] as const
  ) {
    target.server.events.forget();
    using attacker = await rawClient(target.at, service, token);
    equal(attacker.ack, ack);
    match((await target.server.events.until("handshake-failed")).reason, reason);
    await closedByPeer(attacker.control);
    equal(target.server.service().client, undefined);
    // What it would have as its key opens nothing.
    using channel = await attacker.openDataChannel();
    await closedByPeer(channel);
    await target.unharmed();
  }
});

Deno.test("a handshake cut at any byte, by an end or a reset, leaves nothing behind", async () => {
  await using target = await victim();
  const control = new Uint8Array([...await controlHello("it"), ...noise(32)]);
  const data = dataHello(noise(32));
  for (const stream of [control, data]) {
    for (let length = 0; length <= stream.length; length++) {
      using attacker = await visit(target.at);
      await writeAll(attacker, stream.subarray(0, length));
      attacker.closeWrite().catch(expectLost);
      await closedByPeer(attacker);
      await sendAndReset(target.at, stream.subarray(0, length));
    }
  }
  await target.unharmed();
  const seen = target.server.events.all("handshake-failed");
  equal(seen.length, 2 * (control.length + data.length + 2));
  for (const { reason } of seen) ok(!TIMEOUT.test(reason), reason);
});

Deno.test("a hello that comes one byte at a time is a hello", async () => {
  await using target = await victim({ handshake_timeout: "20s" });
  using attacker = await visit(target.at);
  attacker.setNoDelay(true);
  for (const byte of await controlHello("it")) {
    await writeAll(attacker, Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await readBytes(attacker, 37);
});

Deno.test("garbage on an authenticated control channel ends that session only", async () => {
  await using target = await victim();
  for (const garbage of [noise(100, 3), bytesOf("GET / HTTP/1.1\r\n"), Uint8Array.of(1, 0, 0)]) {
    target.server.events.forget();
    using attacker = await rawClient(target.at);
    await target.server.door("it");
    await writeAll(attacker.control, garbage);
    const { service, reason } = await target.server.events.until("control-channel-lost");
    equal(service, "it");
    match(reason, /^a frame of \d+ bytes on the control channel$|^a client hello of 0 bytes$/);
    await closedByPeer(attacker.control);
    await target.unharmed();
    equal(target.server.service("it").address, undefined);
  }
});

Deno.test("frames of a newer program on the control channel are skipped", async () => {
  await using target = await victim();
  using attacker = await rawClient(target.at);
  const door = await target.server.door("it");
  const unknown = new Uint8Array(3 + 1024);
  unknown.set([99, 0, 4]);
  // Fewer than are taken for a flood.
  for (let i = 0; i < 200; i++) await writeAll(attacker.control, unknown);
  using channel = await attacker.openDataChannel();
  using _visitor = await visit(door);
  deepEqual(await readBytes(channel, 4), new Uint8Array(4));
  equal(target.server.events.all("control-channel-lost").length, 0);
});

Deno.test(
  "one session opens 10,000 data channels that nobody asked for: refused; another service is 100 % served",
  { timeout: 60_000 },
  async () => {
    await using target = await victim({
      max_pending_handshakes_per_ip: 200,
      max_handshake_rate_per_ip: 10_000,
    });
    using attacker = await rawClient(target.at);
    await target.server.door("it");
    await using visits = new Visits(await target.server.door("bystander"));
    const open: Deno.TcpConn[] = [];
    for (let batch = 0; batch < 100; batch++) {
      const more = await Promise.all(Array.from({ length: 100 }, () => attacker.openDataChannel()));
      open.push(...more);
      const { connections } = target.server.server.status();
      ok(connections < 300, `${connections} connections`);
      // Refused ones are closed at this end as well, or this process runs out of descriptors.
      while (open.length > 200) closeQuietly(open.pop() ?? attacker.control);
    }
    equal(target.server.service("it").dataChannelsIdle <= 8, true);
    const { reason } = await target.server.events.until("handshake-failed");
    equal(reason, "more data channels than the server has use for");
    const { count, failures, p99 } = await visits.end(6);
    deepEqual(failures, []);
    ok(count > 5, `${count} visits`);
    console.log(`  ${count} visits of another service meanwhile, p99 ${p99.toFixed(1)} ms`);
    for (const channel of open) closeQuietly(channel);
    attacker.control.close();
    await target.unharmed();
  },
);

Deno.test("a data channel that speaks before it is told to is dropped", async () => {
  await using target = await victim();
  using attacker = await rawClient(target.at);
  const door = await target.server.door("it");
  for (let i = 0; i < 8; i++) deepEqual(await attacker.command(), new Uint8Array(4));
  using rash = await attacker.openDataChannel();
  await eventually("it to be kept", () => target.server.service().dataChannelsIdle, (n) => n === 1);
  await writeAll(rash, bytesOf("!"));
  await closedByPeer(rash);
  equal(target.server.service().dataChannelsIdle, 0);
  deepEqual(await attacker.command(), new Uint8Array(4), "another one is asked for");
  using good = await attacker.openDataChannel();
  using visitor = await visit(door);
  deepEqual(await readBytes(good, 4), new Uint8Array(4));
  await writeAll(good, bytesOf("hello"));
  deepEqual(await readBytes(visitor, 5), bytesOf("hello"));
});

Deno.test("garbage instead of datagrams costs the client a data channel", async () => {
  await using target = await victim({}, { type: "udp" });
  using attacker = await rawClient(target.at);
  const door = await target.server.door("it");
  await using visitor = await udpSocket();
  for (let round = 0; round < 3; round++) {
    using channel = await attacker.openDataChannel();
    deepEqual(await readBytes(channel, 4), forwardUdp);
    await writeAll(channel, noise(1000, round + 2));
    await closedByPeer(channel);
  }
  using channel = await attacker.openDataChannel();
  deepEqual(await readBytes(channel, 4), forwardUdp);
  await visitor.send(bytesOf("still there"), door);
  await readBytes(channel, 13 + 11);
  equal(target.server.events.all("control-channel-lost").length, 0);
});
