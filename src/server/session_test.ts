import assert from "node:assert/strict";
import { sessionCarriers } from "../../tests/support/carrier_pair.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { readExact } from "../net/read_exact.ts";
import { encodeExtensionHeartbeat, encodeExtensionHello } from "../protocol/extension.ts";
import { type ControlCommand, decodeControlCommand } from "../protocol/messages.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Scope } from "../runtime/scope.ts";
import { Session } from "./session.ts";

/** A reserve that demand does not change. */
const fixed = (size: number) => ({ least: size, most: size });

/** A session over memory, and what its client reads. */
function running(options: {
  heartbeat?: number;
  interval?: () => number;
  received?: () => number;
  target?: number;
  capacity?: number;
} = {}) {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const scope = new Scope((error) => faults.push(error));
  const [client, connection] = memoryPair({ capacity: options.capacity ?? 64 * 1024 });
  const session = new Session({
    connection,
    key: new Uint8Array(32),
    heartbeatInterval: options.interval ?? (() => options.heartbeat ?? 0),
    received: options.received ?? (() => 0),
    reserve: fixed(options.target ?? 0),
    poolLimit: 10_000,
    carriers: sessionCarriers(scope),
    scope,
    clock,
  });
  const listening = follow(session.listen());
  const commands: ControlCommand[] = [];
  const read = async () => {
    for (;;) commands.push(decodeControlCommand(await readExact(client, 4)));
  };
  return {
    client,
    clock,
    connection,
    session,
    listening,
    commands,
    read: () => void read().catch(() => {}),
    async [Symbol.asyncDispose]() {
      session.end(new RatholeError("aborted", "the test is over"));
      await scope.join();
      await turn();
      assert.notEqual(listening().state, "pending");
      assert.deepEqual(faults, []);
      assert.equal(clock.pending, 0, "deadlines left behind");
    },
  };
}

function reasonOf(s: ReturnType<typeof running>): unknown {
  const progress = s.listening();
  assert.equal(progress.state, "fulfilled", "the session goes on");
  return progress.state === "fulfilled" ? progress.value : undefined;
}

Deno.test("it asks for its reserve at once and beats at its interval", async () => {
  await using s = running({ heartbeat: 3_000, target: 3 });
  s.read();
  await s.clock.advance(2_999);
  assert.deepEqual(s.commands, new Array(3).fill("create-data-channel"));
  await s.clock.advance(6_001);
  const beats = s.commands.filter((command) => command === "heartbeat");
  assert.equal(beats.length, 3);
  assert.equal(s.connection.noDelay, true);
});

Deno.test("without an interval it never beats", async () => {
  await using s = running();
  s.read();
  await s.clock.advance(1_000_000);
  assert.deepEqual(s.commands, []);
});

Deno.test("what is due while a write is under way shares the next one", async () => {
  await using s = running({ capacity: 4, heartbeat: 3_000, target: 1 });
  await turn();
  const waiting = Array.from({ length: 100 }, () => follow(s.session.pool.take()));
  await s.clock.advance(3_000);
  s.read();
  await turn();
  assert.equal(s.commands.filter((c) => c === "create-data-channel").length, 101);
  assert.equal(s.commands.filter((c) => c === "heartbeat").length, 1);
  s.session.end(new RatholeError("aborted", "enough"));
  await turn();
  assert.ok(waiting.every((w) => w().state === "rejected"));
});

Deno.test("a client that does not read its control channel is given up after 40 s", async () => {
  await using s = running({ capacity: 4, target: 10 });
  await s.client.write(encodeExtensionHello(0, 60_000));
  await s.clock.advance(39_999);
  assert.equal(s.listening().state, "pending");
  await s.clock.advance(1);
  assert.deepEqual(
    reasonOf(s),
    new RatholeError("timeout", "the client does not read its control channel"),
  );
  assert.ok(s.connection.aborted);
});

Deno.test("the client's end, in whatever form, ends the session and refuses who waits", async () => {
  for (const end of ["closeWrite", "abort", "reset"] as const) {
    await using s = running();
    const waiting = follow(s.session.pool.take());
    await s.client[end]();
    await turn();
    const reason = reasonOf(s);
    assert.ok(reason instanceof RatholeError && reason.code === "closed", end);
    assert.deepEqual(waiting(), { state: "rejected", reason });
    assert.ok(s.connection.aborted);
  }
});

Deno.test("an end from this side is the reason, the first one's", async () => {
  await using s = running();
  const reason = new RatholeError("aborted", "displaced by a newer client");
  s.session.end(reason);
  s.session.end(new Error("another"));
  await turn();
  assert.equal(reasonOf(s), reason);
});

Deno.test("a client of ours is known by its hello and may be silent for 4/3 of its interval", async () => {
  await using s = running();
  assert.equal(s.session.extended, false);
  await s.client.write(encodeExtensionHello(0, 30_000));
  await turn();
  assert.equal(s.session.extended, true);
  for (let i = 0; i < 5; i++) {
    await s.clock.advance(30_000);
    await s.client.write(encodeExtensionHeartbeat());
    await turn();
  }
  await s.clock.advance(39_999);
  assert.equal(s.listening().state, "pending");
  await s.clock.advance(1);
  assert.deepEqual(reasonOf(s), new RatholeError("timeout", "the client was silent for 40 s"));
});

Deno.test("a client of ours that announces no heartbeats may be silent, as a 0.5.0 may", async () => {
  for (const hello of [true, false]) {
    await using s = running();
    if (hello) await s.client.write(encodeExtensionHello(0, 0));
    await s.clock.advance(1_000_000);
    assert.equal(s.listening().state, "pending");
  }
});

Deno.test("a second hello takes the place of the first", async () => {
  await using s = running();
  await s.client.write(encodeExtensionHello(0, 3_000));
  await s.client.write(encodeExtensionHello(0, 300_000));
  await s.clock.advance(399_999);
  assert.equal(s.listening().state, "pending");
  await s.client.write(encodeExtensionHello(0, 0));
  await s.clock.advance(1_000_000);
  assert.equal(s.listening().state, "pending");
});

Deno.test("frames of a newer client are skipped, also in pieces and with longer hellos", async () => {
  await using s = running();
  const hello = encodeExtensionHello(0xffff_ffff, 0);
  const longer = new Uint8Array(hello.length + 4);
  longer.set(hello);
  longer[1] = 13;
  const unknown = new Uint8Array(3 + 1024).fill(0x42);
  unknown.set([200, 0x00, 0x04]);
  for (const byte of [...unknown, ...longer, ...encodeExtensionHeartbeat()]) {
    await s.client.write(Uint8Array.of(byte));
  }
  await turn();
  assert.equal(s.listening().state, "pending");
  assert.equal(s.session.extended, true);
});

Deno.test("garbage ends the session as `protocol`", async () => {
  const garbage = [
    Uint8Array.of(1, 0x01, 0x04),
    new TextEncoder().encode("GET / HTTP/1.1\r\n"),
    Uint8Array.of(1, 3, 0, 1, 2, 3),
  ];
  for (const bytes of garbage) {
    await using s = running();
    await s.client.write(bytes);
    await turn();
    const reason = reasonOf(s);
    assert.ok(reason instanceof RatholeError && reason.code === "protocol", String(reason));
  }
});

Deno.test("a hello whose reading is overtaken by the session's end leaves no watch behind", async () => {
  // The bytes are handed over in this turn; after each of its steps once the session ends.
  for (let steps = 0; steps < 25; steps++) {
    await using s = running();
    const writing = s.client.write(encodeExtensionHello(0, 30_000));
    writing.catch(() => {});
    for (let i = 0; i < steps; i++) await Promise.resolve();
    s.session.end(new RatholeError("aborted", "displaced"));
    await turn();
    assert.equal(s.clock.pending, 0, `after ${steps} steps`);
  }
});

Deno.test("a session whose scope was left before it began is over", async () => {
  const clock = new FakeClock();
  const scope = new Scope((error) => assert.fail(String(error)));
  const reason = new RatholeError("aborted", "the server is stopping");
  scope.abort(reason);
  const [, connection] = memoryPair();
  const session = new Session({
    connection,
    key: new Uint8Array(32),
    heartbeatInterval: () => 30_000,
    received: () => 0,
    reserve: fixed(8),
    poolLimit: 100,
    carriers: sessionCarriers(scope),
    scope,
    clock,
  });
  assert.equal(await session.listen(), reason);
  await assert.rejects(session.pool.take(), reason);
  await scope.join();
  assert.equal(clock.pending, 0);
});

Deno.test("an interval that changes is kept from then on, also from and to none", async () => {
  let interval = 0;
  await using s = running({ interval: () => interval });
  await s.client.write(encodeExtensionHello(0, 1_000_000));
  s.read();
  const beats = async (ms: number) => {
    s.commands.length = 0;
    await s.clock.advance(ms);
    return s.commands.length;
  };
  assert.equal(await beats(60_000), 0);
  interval = 10_000;
  // A look every 5 s at most: the first one beats, as the last beat was long ago.
  assert.equal(await beats(5_000), 1);
  assert.equal(await beats(30_000), 3);
  interval = 1_000;
  assert.ok(await beats(10_000) >= 5);
  interval = 0;
  assert.equal(await beats(60_000), 0);
});

Deno.test("a client of 0.5.0 that answers no probe is given up, 40 s after its last answer", async () => {
  await using s = running({ heartbeat: 30_000, target: 1 });
  s.read();
  await turn();
  assert.ok(s.session.pool.offer(memoryPair()[0], () => {}));
  await s.clock.advance(39_999);
  assert.deepEqual(s.commands, ["create-data-channel", "heartbeat", "create-data-channel"]);
  assert.equal(s.listening().state, "pending");
  await s.clock.advance(1);
  const reason = reasonOf(s);
  assert.ok(reason instanceof RatholeError && reason.code === "timeout", String(reason));
  assert.match(reason.message, /opened none of the data channels/);
});

Deno.test("an announced heartbeat is all that is asked of a client of ours", async () => {
  await using s = running({ heartbeat: 30_000, target: 1 });
  s.read();
  await s.client.write(encodeExtensionHello(0, 1_000_000));
  await s.clock.advance(1_000_000);
  assert.equal(s.listening().state, "pending");
});

Deno.test("a client that floods its control channel is given up", async () => {
  await using s = running();
  const beats = new Uint8Array(3 * 1_000);
  for (let at = 0; at < beats.length; at += 3) beats.set(encodeExtensionHeartbeat(), at);
  await s.client.write(beats).catch(() => {});
  await turn();
  const reason = reasonOf(s);
  assert.ok(reason instanceof RatholeError && reason.code === "limit", String(reason));
});

Deno.test("bytes that came before a request are no answer to it", async () => {
  let received = 0;
  await using s = running({ received: () => received, target: 1 });
  s.read();
  await turn();
  assert.ok(s.session.pool.offer(memoryPair()[0], () => {}));
  received = 1;
  await s.session.pool.take();
  await s.clock.advance(9_999);
  assert.equal(s.listening().state, "pending");
  await s.clock.advance(1);
  const reason = reasonOf(s);
  assert.ok(reason instanceof RatholeError && reason.code === "timeout", String(reason));
});
