import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { acceptAll } from "./accept.ts";

class Accepted {
  reason: unknown;
  abort(reason: unknown): void {
    this.reason = reason;
  }
}

/** An accept loop whose source gives what the test pushes. */
function looping() {
  const clock = new FakeClock();
  const controller = new AbortController();
  const told: string[] = [];
  const taken: Accepted[] = [];
  let accepts = 0;
  let next = Promise.withResolvers<Accepted>();
  const loop = acceptAll({
    from: {
      accept: () => {
        accepts++;
        return next.promise;
      },
    },
    clock,
    take: (connection) => void taken.push(connection),
    exhausted: () => void told.push("exhausted"),
    trouble: (error) => void told.push(`trouble: ${error}`),
    relief: () => void told.push("relief"),
  }, controller.signal);
  const settle = (settle: (current: typeof next) => void) => {
    const current = next;
    next = Promise.withResolvers<Accepted>();
    settle(current);
    return turn();
  };
  return {
    clock,
    controller,
    told,
    taken,
    accepts: () => accepts,
    ended: follow(loop),
    connect: (connection = new Accepted()) => settle((current) => current.resolve(connection)),
    fail: (why: string) => settle((current) => current.reject(why)),
    failWith: (error: Error) => settle((current) => current.reject(error)),
  };
}

Deno.test("trouble is told once a series, relief once; in between it pauses and does not spin", async () => {
  const l = looping();
  await l.connect();
  await l.fail("EMFILE");
  assert.equal(l.accepts(), 2);
  for (let i = 0; i < 5; i++) {
    await turn();
    assert.equal(l.accepts(), 2 + i, "accepts while it should pause");
    await l.clock.advance(50);
    await l.fail("EMFILE again");
  }
  await l.clock.advance(50);
  await l.connect();
  await l.connect();
  assert.deepEqual(l.told, ["trouble: EMFILE", "relief"]);
  await l.fail("ENFILE");
  assert.deepEqual(l.told, ["trouble: EMFILE", "relief", "trouble: ENFILE"]);
  assert.equal(l.taken.length, 3);
  l.controller.abort();
  await turn();
  assert.equal(l.ended().state, "fulfilled");
  assert.equal(l.clock.pending, 0);
});

Deno.test("every lack of descriptors of its own is told before the pause, other failures are not", async () => {
  const l = looping();
  await l.failWith(Object.assign(new Error("too many"), { code: "EMFILE" }));
  await l.clock.advance(50);
  await l.failWith(Object.assign(new Error("too many"), { code: "EMFILE" }));
  await l.clock.advance(50);
  await l.failWith(Object.assign(new Error("all over"), { code: "ENFILE" }));
  await l.clock.advance(50);
  await l.fail("something else");
  assert.deepEqual(l.told, ["exhausted", "trouble: Error: too many", "exhausted"]);
  l.controller.abort();
  await l.clock.advance(50);
});

Deno.test("it ends without a word when it is aborted and its source closed", async () => {
  const l = looping();
  l.controller.abort();
  await l.fail("closed");
  assert.equal(l.ended().state, "fulfilled");
  assert.deepEqual(l.told, []);
  assert.equal(l.accepts(), 1);
});

Deno.test("a connection that comes as the loop is aborted is closed: nobody would own it", async () => {
  const l = looping();
  const connection = new Accepted();
  const reason = new Error("stopping");
  l.controller.abort(reason);
  await l.connect(connection);
  assert.deepEqual(l.taken, []);
  assert.equal(connection.reason, reason);
  assert.equal(l.ended().state, "fulfilled");
});

Deno.test("a peer that was gone again before it was accepted costs the next one nothing", async () => {
  const l = looping();
  await l.failWith(new Deno.errors.NotConnected("Transport endpoint is not connected"));
  await l.failWith(Object.assign(new Error("aborted"), { code: "ECONNABORTED" }));
  assert.equal(l.accepts(), 3);
  await l.connect();
  assert.deepEqual([l.taken.length, l.told], [1, []]);
  l.controller.abort();
  await l.failWith(new Error("closed"));
});
