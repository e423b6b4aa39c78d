import assert from "node:assert/strict";
import { offeringOnly } from "../../tests/support/offering.ts";
import { pattern, readAll } from "../../tests/support/connection_contract.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { socketOptions } from "../../tests/support/tcp_pair.ts";
import { until } from "../../tests/support/turns.ts";
import type { ServerOptions } from "../config/options.ts";
import { readExact } from "../net/read_exact.ts";
import { dialTcp } from "../net/tcp.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Session } from "./session.ts";

/** A TCP service offered by sessions that the test makes. */
function offering(options: Partial<ServerOptions> = {}) {
  const only = offeringOnly({ services: { web: { bind_addr: "127.0.0.1:0" } }, ...options });
  const { service } = only;
  /** A client; `channel()` is what it does when asked for a data channel. */
  const offer = () => {
    const { client, session } = only.offer();
    const channel = (capacity?: number) => {
      const [far, near] = memoryPair(capacity === undefined ? {} : { capacity });
      assert.ok(session.pool.offer(near, () => {}), "the channel was not wanted");
      return far;
    };
    return { client, session, channel };
  };
  const visit = async () => {
    await until(() => service.address !== undefined, "the door");
    assert.ok(service.address);
    return await dialTcp(service.address, socketOptions(), new AbortController().signal);
  };
  const waiting = (session: Session) =>
    until(() => session.pool.expected > 0, "a visitor that waits");
  return { ...only, offer, visit, waiting };
}

const refusals = (o: ReturnType<typeof offering>) =>
  o.server.events.of("visitor-refused").map(({ reason }) => reason);

Deno.test("a visitor is paired with a channel, served both ways and counted", async () => {
  await using o = offering();
  const { channel, session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  using far = channel();
  assert.deepEqual((await readExact(far, 4)).slice(), Uint8Array.of(0, 0, 0, 0));
  await visitor.write(pattern(500));
  await visitor.closeWrite();
  assert.deepEqual(await readAll(far), pattern(500));
  await far.write(pattern(3_000));
  await far.closeWrite();
  assert.deepEqual(await readAll(visitor), pattern(3_000));
  await until(() => o.server.events.of("stream-closed").length === 1, "the stream's end");
  assert.equal(o.server.events.of("stream-closed")[0]?.reason, undefined);
  const { visitors, visitorsTotal, visitorsRefused, forward, backward } = o.service.counters;
  assert.deepEqual(
    { visitors, visitorsTotal, visitorsRefused, up: forward.bytes, down: backward.bytes },
    { visitors: 0, visitorsTotal: 1, visitorsRefused: 0, up: 500, down: 3_000 },
  );
  await until(() => o.server.context.admission.connections === 0, "the visitor's place");
  assert.equal(session.pool.inUse, 0);
});

Deno.test("a visitor for whom no channel comes is refused when visitor_timeout is over", async () => {
  await using o = offering({ visitor_timeout: 7 });
  const { session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  await o.server.clock.advance(7_000);
  assert.equal(await visitor.read(), null);
  await until(() => refusals(o).length === 1, "the refusal");
  assert.deepEqual(refusals(o), ["the client opened no data channel within 7 s"]);
  assert.equal(o.service.counters.visitorsRefused, 1);
});

Deno.test("a channel that turns out to be dead costs the visitor nothing but another", async () => {
  await using o = offering();
  const { channel, session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  channel().reset();
  await until(() => session.pool.expected > 0 || session.pool.inUse === 0, "a second request");
  await o.waiting(session);
  using far = channel();
  await readExact(far, 4);
  await visitor.write(pattern(5));
  assert.deepEqual((await readExact(far, 5)).slice(), pattern(5));
});

Deno.test("a visitor that waits while its client is displaced is served by the newer one", async () => {
  await using o = offering();
  const first = o.offer();
  using visitor = await o.visit();
  await o.waiting(first.session);
  const second = o.offer();
  await o.waiting(second.session);
  using far = second.channel();
  await readExact(far, 4);
  await visitor.write(pattern(5));
  assert.deepEqual((await readExact(far, 5)).slice(), pattern(5));
  assert.deepEqual(refusals(o), []);
});

Deno.test("a visitor that waits while its client goes is refused at once", async () => {
  await using o = offering();
  const { client, session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  client.abort();
  assert.equal(await visitor.read(), null);
  await until(() => refusals(o).length === 1, "the refusal");
  await until(() => o.service.address === undefined, "the door closed");
});

Deno.test("a stream outlives the session that brought it", async () => {
  await using o = offering();
  const { channel, client, session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  using far = channel();
  await readExact(far, 4);
  client.abort();
  await until(() => o.server.events.of("control-channel-lost").length === 1, "the session's end");
  await visitor.write(pattern(5));
  assert.deepEqual((await readExact(far, 5)).slice(), pattern(5));
});

Deno.test("limits refuse a visitor with their name", async () => {
  await using o = offering({ max_data_channels: 1 });
  const { channel, session } = o.offer();
  using first = await o.visit();
  await o.waiting(session);
  using far = channel();
  await readExact(far, 4);
  using second = await o.visit();
  assert.equal(await second.read(), null);
  await until(() => refusals(o).length === 1, "the refusal");
  assert.deepEqual(refusals(o), ["max_data_channels = 1 reached"]);
  await first.write(pattern(1));
  assert.deepEqual(await far.read(), pattern(1));
});

Deno.test("a stop cuts a visitor whose channel does not even take the command", async () => {
  await using o = offering();
  const { channel, session } = o.offer();
  using visitor = await o.visit();
  await o.waiting(session);
  using far = channel(2);
  await until(() => session.pool.inUse === 1, "the pairing");
  o.server.context.streams.abort(new RatholeError("aborted", "the server was stopped"));
  assert.equal(await visitor.read(), null);
  await o.server.context.streams.join();
  await far.read();
});
