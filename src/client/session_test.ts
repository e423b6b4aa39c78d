import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { encodeExtensionHeartbeat, encodeExtensionHello } from "../protocol/extension.ts";
import { encodeControlCommand } from "../protocol/messages.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Scope } from "../runtime/scope.ts";
import { Session } from "./session.ts";

const CREATE = encodeControlCommand("create-data-channel");
const HEARTBEAT = encodeControlCommand("heartbeat");

/** A session over memory; channels that it opens last until the test ends them. */
function make(options: { extended?: boolean; timeout?: number } = {}) {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const scope = new Scope((error) => faults.push(error));
  const [server, connection] = memoryPair();
  const open: (() => void)[] = [];
  let opened = 0;
  const session = new Session({
    connection,
    extended: options.extended ?? false,
    heartbeatTimeout: options.timeout ?? 0,
    heartbeatInterval: (options.timeout ?? 0) * 3 / 4,
    carriers: 0,
    welcome: () => assert.fail("no carriers were asked for"),
    scope,
    channels: scope.child(),
    clock,
    open: () => {
      opened++;
      const { promise, resolve } = Promise.withResolvers<void>();
      open.push(resolve);
      return promise;
    },
  });
  return {
    server,
    connection,
    clock,
    scope,
    session,
    opened: () => opened,
    finish: (count: number) => open.splice(0, count).forEach((end) => end()),
    async [Symbol.asyncDispose]() {
      scope.abort(new RatholeError("aborted", "the test is over"));
      open.splice(0).forEach((end) => end());
      await scope.join();
      await turn();
      assert.deepEqual(faults, []);
      assert.equal(clock.pending, 0, "deadlines left behind");
    },
  };
}

Deno.test("it opens a channel for every request, also for requests in pieces", async () => {
  await using s = make();
  const following = follow(s.session.follow());
  for (const byte of [...CREATE, ...HEARTBEAT, ...CREATE]) {
    await s.server.write(Uint8Array.of(byte));
  }
  await turn();
  assert.equal(s.opened(), 2);
  assert.equal(following().state, "pending");
});

Deno.test("at most 500 channels are in the making; further requests wait their turn", async () => {
  await using s = make();
  void s.session.follow();
  for (let i = 0; i < 700; i++) await s.server.write(CREATE);
  await turn();
  assert.equal(s.opened(), 500);
  s.finish(150);
  await turn();
  assert.equal(s.opened(), 650);
  s.finish(500);
  await turn();
  assert.equal(s.opened(), 700);
});

Deno.test("a server that is silent for heartbeat_timeout is given up; any word counts", async () => {
  await using s = make({ timeout: 40_000 });
  const following = follow(s.session.follow());
  for (const word of [HEARTBEAT, CREATE, HEARTBEAT]) {
    await s.clock.advance(39_000);
    await s.server.write(word);
    await turn();
  }
  await s.clock.advance(39_999);
  assert.equal(following().state, "pending");
  await s.clock.advance(1);
  assert.deepEqual(following(), {
    state: "fulfilled",
    value: new RatholeError("timeout", "the server was silent for 40 s"),
  });
  assert.ok(s.connection.aborted);
});

Deno.test("without a timeout it waits for ever", async () => {
  await using s = make();
  const following = follow(s.session.follow());
  await s.clock.advance(10_000_000);
  assert.equal(following().state, "pending");
});

Deno.test("to a server of ours it says hello and then beats; to another it says nothing", async () => {
  for (const extended of [true, false]) {
    await using s = make({ extended, timeout: 40_000 });
    void s.session.follow();
    const heard: number[] = [];
    const reading = (async () => {
      for (let c = await s.server.read(); c !== null; c = await s.server.read()) heard.push(...c);
    })();
    reading.catch(() => {});
    for (let i = 0; i < 2; i++) {
      await s.clock.advance(30_000);
      await s.server.write(HEARTBEAT);
    }
    await turn();
    const expected = [
      ...encodeExtensionHello(0, 30_000),
      ...encodeExtensionHeartbeat(),
      ...encodeExtensionHeartbeat(),
    ];
    assert.deepEqual(heard, extended ? expected : []);
  }
});

Deno.test("the server's end, and garbage, end it and everything it owns", async () => {
  const ends = [
    ["closed", (s: ReturnType<typeof make>) => s.server.closeWrite()],
    ["closed", (s: ReturnType<typeof make>) => s.server.reset()],
    ["protocol", (s: ReturnType<typeof make>) => s.server.write(Uint8Array.of(9, 0, 0, 0))],
  ] as const;
  for (const [code, end] of ends) {
    await using s = make({ extended: true, timeout: 40_000 });
    const following = follow(s.session.follow());
    await turn();
    await end(s);
    await until(() => following().state !== "pending", "the session's end");
    const progress = following();
    assert.ok(progress.state === "fulfilled" && progress.value instanceof RatholeError);
    assert.equal(progress.value.code, code);
    assert.ok(s.scope.aborted && s.connection.aborted);
  }
});

Deno.test("a stop before it even follows leaves nothing behind", async () => {
  await using s = make({ extended: true, timeout: 40_000 });
  const reason = new RatholeError("aborted", "the client is stopping");
  s.scope.abort(reason);
  assert.equal(await s.session.follow(), reason);
  assert.equal(s.clock.pending, 0);
});
