import assert from "node:assert/strict";
import { TestClient } from "../../tests/support/contexts.ts";
import { pattern } from "../../tests/support/connection_contract.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, until } from "../../tests/support/turns.ts";
import { type DatagramSocket, openDatagrams } from "../net/datagrams.ts";
import { UdpFrameDecoder, udpFrameLength, writeUdpFrame } from "../protocol/udp_frame.ts";
import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { zeroCounters } from "./counters.ts";
import { UdpForwarder } from "./udp_forwarder.ts";

const VISITOR = Uint8Array.of(192, 0, 2, 7);

/** A UDP service on this machine and what it received, with its sender's address. */
async function udpService(hostname = "127.0.0.1") {
  const received: { payload: Uint8Array; from: Address }[] = [];
  const socket: DatagramSocket = openDatagrams({
    at: { hostname, port: 0 },
    take: (payload, from) => void received.push({ payload: Uint8Array.from(payload), from }),
  });
  const { port } = await socket.bound;
  return { received, socket, port, [Symbol.dispose]: () => socket.close() };
}

function forwarding(local: Address) {
  let at = local;
  const client = new TestClient(
    { services: { dns: { type: "udp", local_addr: "127.0.0.1:1" } } },
    () => Promise.reject(new Error("nothing is dialled")),
  );
  const counters = zeroCounters();
  const { name } = client.service;
  const { context } = client;
  const scope = context.intake.child();
  const forwarder = new UdpForwarder({
    name,
    local: () => at,
    counters,
    scope,
    context,
  });
  /** A channel with the server's end, and the datagrams that come out there. */
  const open = () => {
    const [server, channel] = memoryPair({ readSize: 128 * 1024 });
    const seen: { port: number; payload: Uint8Array }[] = [];
    const decoder = new UdpFrameDecoder();
    const reading = (async () => {
      for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
        for (const { port, payload } of decoder.decode(chunk)) {
          seen.push({ port, payload: payload.slice() });
        }
      }
    })();
    reading.catch(() => {});
    const send = async (port: number, payload: Uint8Array) => {
      const frame = new Uint8Array(udpFrameLength(VISITOR, payload));
      writeUdpFrame(frame, 0, VISITOR, port, payload);
      await server.write(frame);
    };
    return { server, channel, seen, send, forwarded: follow(forwarder.forward(channel)) };
  };
  const move = (to: Address) => void (at = to);
  return {
    client,
    counters,
    open,
    move,
    scope,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

Deno.test("datagrams of 0, 1 and 65,507 bytes pass both ways, a visitor by a socket of its own", async () => {
  using service = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  const { seen, send } = f.open();
  for (const [i, length] of [0, 1, 65_507].entries()) {
    await send(1000, pattern(length));
    await until(() => service.received.length === i + 1, "the datagram");
    const { payload, from } = service.received[i] ?? assert.fail();
    assert.deepEqual(payload, pattern(length));
    await service.socket.send(payload, from);
    await until(() => seen.length === i + 1, "the reply");
    assert.deepEqual(seen[i], { port: 1000, payload: pattern(length) });
  }
  await send(1001, pattern(5));
  await until(() => service.received.length === 4, "another visitor's datagram");
  const ports = service.received.map(({ from }) => from.port);
  assert.deepEqual([new Set(ports.slice(0, 3)).size, new Set(ports).size], [1, 2]);
  assert.equal(f.counters.visitors, 2);
  assert.equal(f.counters.forward.bytes, 65_513);
  assert.equal(f.counters.backward.bytes, 65_508);
});

Deno.test("replies are known however the service's address was written", async () => {
  for (const [bound, written] of [["::1", "0:0:0:0:0:0:0:1"], ["127.0.0.1", "0.0.0.0"]] as const) {
    using service = await udpService(bound);
    await using f = forwarding({ hostname: written, port: service.port });
    const { seen, send } = f.open();
    await send(1000, pattern(2));
    await until(() => service.received.length === 1, "the datagram");
    await service.socket.send(pattern(3), service.received[0]?.from ?? assert.fail());
    await until(() => seen.length + f.counters.datagramsDropped === 1, "the reply");
    assert.equal(f.counters.datagramsDropped, 0, `${written}: taken for a stranger's`);
  }
});

Deno.test("what did not come from the service is dropped and counted", async () => {
  using service = await udpService();
  using stranger = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  const { seen, send } = f.open();
  await send(1000, pattern(2));
  await until(() => service.received.length === 1, "the datagram");
  const { from } = service.received[0] ?? assert.fail();
  await stranger.socket.send(pattern(3), from);
  await until(() => f.counters.datagramsDropped === 1, "the stranger's");
  await service.socket.send(pattern(4), from);
  await until(() => seen.length === 1, "the service's");
  assert.deepEqual(seen[0]?.payload, pattern(4));
});

Deno.test("where a visitor's channel is gone, the service's words take the next one", async () => {
  using service = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  const first = f.open();
  await first.send(1000, pattern(2));
  await until(() => service.received.length === 1, "the datagram");
  const { from } = service.received[0] ?? assert.fail();
  first.server.abort();
  await until(() => first.forwarded().state === "fulfilled", "the channel's end");
  await service.socket.send(pattern(3), from);
  await until(() => f.counters.datagramsDropped === 1, "a reply without any channel dropped");
  const second = f.open();
  await second.send(2000, pattern(1));
  await until(() => service.received.length === 2, "the second channel");
  await service.socket.send(pattern(4), from);
  await until(() => second.seen.length === 1, "the reply over the other channel");
  assert.deepEqual(second.seen[0], { port: 1000, payload: pattern(4) });
});

Deno.test("a visitor's socket is closed after 60 s of silence in both directions", async () => {
  using service = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  const { send } = f.open();
  await send(1000, pattern(2));
  await until(() => service.received.length === 1, "the datagram");
  await f.client.clock.advance(59_000);
  assert.equal(f.counters.visitors, 1);
  await f.client.clock.advance(7_000);
  assert.equal(f.counters.visitors, 0);
  await send(1000, pattern(2));
  await until(() => service.received.length === 2, "the visitor again");
  assert.equal(f.counters.visitorsTotal, 2);
});

Deno.test("garbage, and the channel's end, end the channel but not the visitors", async () => {
  using service = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  for (const end of ["garbage", "end"]) {
    const channel = f.open();
    await channel.send(1000, pattern(2));
    await until(() => service.received.length > 0, "the datagram");
    if (end === "garbage") await channel.server.write(new Uint8Array(9).fill(0xff));
    else await channel.server.closeWrite();
    await until(() => channel.forwarded().state === "fulfilled", "the channel's end");
    assert.ok(channel.channel.aborted);
  }
  assert.equal(f.counters.visitorsTotal, 1);
});

Deno.test("a service whose name has no address is told", async () => {
  await using f = forwarding({ hostname: "no-such-host.invalid", port: 53 });
  const { channel, forwarded } = f.open();
  await until(() => forwarded().state === "fulfilled", "the end");
  assert.ok(channel.aborted);
  assert.match(f.client.events.of("local-unreachable")[0]?.reason ?? "", /no-such-host\.invalid/);
});

Deno.test("a stop, or the removal of the service, closes every socket and ends every channel", async () => {
  using service = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: service.port });
  const { channel, forwarded, send } = f.open();
  for (let port = 1; port <= 10; port++) await send(port, pattern(2));
  await until(() => service.received.length === 10, "ten visitors");
  f.scope.abort(new RatholeError("aborted", "the service was removed"));
  await until(() => forwarded().state === "fulfilled", "the end");
  assert.ok(channel.aborted);
  assert.equal(f.counters.visitors, 0);
});

Deno.test("where the service moves, its visitors follow over every channel, and replies come back", async () => {
  using before = await udpService();
  using after = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: before.port });
  const channels = [f.open(), f.open()];
  for (const [i, { send }] of channels.entries()) await send(1000 + i, pattern(1));
  await until(() => before.received.length === 2, "the datagrams");
  f.move({ hostname: "127.0.0.1", port: after.port });
  for (const [i, { send }] of channels.entries()) {
    for (const port of [1000 + i, 2000 + i]) await send(port, pattern(2));
  }
  await until(() => after.received.length === 4, "the datagrams at the new address");
  for (const { payload, from } of after.received) await after.socket.send(payload, from);
  await until(() => channels.every(({ seen }) => seen.length === 2), "the replies");
  assert.equal(before.received.length, 2);
  assert.equal(f.counters.visitors, 4);
});

Deno.test("where the new address leads nowhere, that is told once for each channel that asks", async () => {
  using before = await udpService();
  await using f = forwarding({ hostname: "127.0.0.1", port: before.port });
  const { channel, forwarded, send, server } = f.open();
  await send(1000, pattern(1));
  await until(() => before.received.length === 1, "the datagram");
  f.move({ hostname: "no-such-host.invalid", port: 53 });
  const frame = new Uint8Array(udpFrameLength(VISITOR, pattern(3)));
  writeUdpFrame(frame, 0, VISITOR, 1000, pattern(3));
  const many = new Uint8Array(frame.length * 200);
  for (let i = 0; i < 200; i++) many.set(frame, i * frame.length);
  await server.write(many);
  await until(() => forwarded().state === "fulfilled", "the channel's end");
  assert.ok(channel.aborted);
  assert.equal(f.client.events.of("local-unreachable").length, 1);
  assert.equal(f.counters.visitors, 0);
});
