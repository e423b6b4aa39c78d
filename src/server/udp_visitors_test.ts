import assert from "node:assert/strict";
import { offeringOnly } from "../../tests/support/offering.ts";
import { pattern } from "../../tests/support/connection_contract.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { turn, until } from "../../tests/support/turns.ts";
import { openDatagrams } from "../net/datagrams.ts";
import { readExact } from "../net/read_exact.ts";
import { UdpFrameDecoder, udpFrameLength, writeUdpFrame } from "../protocol/udp_frame.ts";
import type { Address } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Service } from "./service.ts";

const LOCALHOST = Uint8Array.of(127, 0, 0, 1);

/** A UDP service offered by sessions that the test makes. */
function offering(channels = 1) {
  const only = offeringOnly({
    services: { dns: { type: "udp", bind_addr: "127.0.0.1:0", udp_data_channels: channels } },
  });
  const offer = () => {
    const { client, session } = only.offer();
    /** The client's end of a channel, once the server has asked for one and started it. */
    const channel = async () => {
      await until(() => session.pool.expected > 0, "a request");
      const [far, near] = memoryPair({ readSize: 128 * 1024 });
      assert.ok(session.pool.offer(near, () => {}));
      assert.deepEqual((await readExact(far, 4)).slice(), Uint8Array.of(1, 0, 0, 0));
      return far;
    };
    return { client, session, channel };
  };
  return { ...only, offer };
}

/** A visitor's socket and what it received. */
async function visitor() {
  const received: Uint8Array[] = [];
  const socket = openDatagrams({
    at: { hostname: "127.0.0.1", port: 0 },
    take: (payload) => void received.push(Uint8Array.from(payload)),
  });
  const { port } = await socket.bound;
  return { received, socket, port, [Symbol.dispose]: () => socket.close() };
}

/** Reads datagrams off a channel until it ends. */
function watch(channel: MemoryConnection) {
  const seen: { port: number; payload: Uint8Array }[] = [];
  const decoder = new UdpFrameDecoder();
  const reading = (async () => {
    for (let chunk = await channel.read(); chunk !== null; chunk = await channel.read()) {
      for (const { port, payload } of decoder.decode(chunk)) {
        seen.push({ port, payload: payload.slice() });
      }
    }
  })();
  reading.catch(() => {});
  return seen;
}

function frame(port: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(udpFrameLength(LOCALHOST, payload));
  writeUdpFrame(bytes, 0, LOCALHOST, port, payload);
  return bytes;
}

async function addressOf(service: Service): Promise<Address> {
  await until(() => service.address !== undefined, "the door");
  assert.ok(service.address);
  return service.address;
}

Deno.test("datagrams of 0, 1 and 65,507 bytes pass both ways and are counted", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const far = await channel();
  const seen = watch(far);
  using v = await visitor();
  for (const [i, length] of [0, 1, 65_507].entries()) {
    assert.ok(await v.socket.send(pattern(length), at));
    await until(() => seen.length === i + 1, "the datagram");
    assert.deepEqual(seen[i], { port: v.port, payload: pattern(length) });
    await far.write(frame(v.port, pattern(length)));
    await until(() => v.received.length === i + 1, "the reply");
    assert.deepEqual(v.received[i], pattern(length));
  }
  const { visitors, visitorsTotal, forward, backward, datagramsDropped } = o.service.counters;
  assert.deepEqual(
    { visitors, visitorsTotal, up: forward.bytes, down: backward.bytes, datagramsDropped },
    { visitors: 1, visitorsTotal: 1, up: 65_508, down: 65_508, datagramsDropped: 0 },
  );
});

Deno.test("many replies in one read reach each visitor as they were", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const far = await channel();
  const seen = watch(far);
  using a = await visitor();
  using b = await visitor();
  await a.socket.send(pattern(1), at);
  await b.socket.send(pattern(1), at);
  await until(() => seen.length === 2, "both visitors");
  const replies = Array.from(
    { length: 40 },
    (_, i) => frame((i % 2 ? a : b).port, pattern(i * 10)),
  );
  await far.write(new Uint8Array(await new Blob(replies.map((r) => r.slice())).arrayBuffer()));
  await until(() => a.received.length + b.received.length === 40, "every reply");
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(b.received[i], pattern(i * 20));
    assert.deepEqual(a.received[i], pattern(i * 20 + 10));
  }
});

Deno.test("a reply to somebody who was never a visitor is dropped and counted", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const far = await channel();
  const seen = watch(far);
  using v = await visitor();
  using stranger = await visitor();
  await v.socket.send(pattern(1), at);
  await until(() => seen.length === 1, "the visitor");
  await far.write(frame(stranger.port, pattern(4)));
  await far.write(frame(v.port, pattern(4)));
  await until(() => v.received.length === 1, "the visitor's reply");
  assert.deepEqual(stranger.received, []);
  assert.equal(o.service.counters.datagramsDropped, 1);
});

Deno.test("a lost channel is replaced; visitors need not notice", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const first = await channel();
  const seenFirst = watch(first);
  using v = await visitor();
  await v.socket.send(pattern(1), at);
  await until(() => seenFirst.length === 1, "the first datagram");
  // Garbage counts as a loss as well.
  await first.write(new Uint8Array(30).fill(0xff));
  await until(() => first.aborted || o.service.session?.pool.inUse === 0, "the channel's end");
  await o.server.clock.advance(200);
  const second = await channel();
  const seen = watch(second);
  await v.socket.send(pattern(2), at);
  await until(() => seen.length === 1, "a datagram over the second channel");
  await second.write(frame(v.port, pattern(3)));
  await until(() => v.received.length === 1, "a reply over the second channel");
});

Deno.test("a newer client's channels carry the datagrams of visitors that were there before", async () => {
  await using o = offering(2);
  const first = o.offer();
  const at = await addressOf(o.service);
  await first.channel();
  await first.channel();
  using v = await visitor();
  const second = o.offer();
  const seen = [watch(await second.channel()), watch(await second.channel())];
  await v.socket.send(pattern(2), at);
  await until(() => seen.flat().length === 1, "a datagram over the newer client's channel");
});

Deno.test("a visitor is forgotten after 75 s of silence", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const far = await channel();
  const seen = watch(far);
  using v = await visitor();
  await v.socket.send(pattern(1), at);
  await until(() => seen.length === 1, "the visitor");
  await o.server.clock.advance(74_000);
  assert.equal(o.service.counters.visitors, 1);
  await o.server.clock.advance(7_000);
  assert.equal(o.service.counters.visitors, 0);
  await far.write(frame(v.port, pattern(4)));
  await until(() => o.service.counters.datagramsDropped === 1, "the late reply dropped");
});

Deno.test("a stop while replies are on their way ends at once", async () => {
  await using o = offering();
  const { channel } = o.offer();
  const at = await addressOf(o.service);
  const far = await channel();
  const seen = watch(far);
  using v = await visitor();
  await v.socket.send(pattern(1), at);
  await until(() => seen.length === 1, "the visitor");
  const burst = Array.from({ length: 30 }, () => frame(v.port, pattern(4_000)));
  const writing = far.write(
    new Uint8Array(await new Blob(burst.map((f) => f.slice())).arrayBuffer()),
  );
  writing.catch(() => {});
  for (let i = 0; i < 20; i++) await Promise.resolve();
  o.server.context.intake.abort(new RatholeError("aborted", "the server is stopping"));
  await o.server.context.intake.join();
  await turn();
  assert.equal(o.service.counters.visitors, 0);
});
