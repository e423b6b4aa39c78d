import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { Lifecycle } from "./lifecycle.ts";

/** A lifecycle with a stream that ends when told or when cut, and what it told its owner. */
function running(drainTimeout = 10_000) {
  const clock = new FakeClock();
  const told: string[] = [];
  const lifecycle = new Lifecycle({
    what: "server",
    clock,
    drainTimeout: () => drainTimeout,
    draining: (streams) => told.push(`draining ${streams}`),
    stopped: () => told.push("stopped"),
    fault: (reason) => told.push(`fault ${reason.split("\n")[0]}`),
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  let finished = false;
  const finish = () => {
    finished = true;
    resolve();
  };
  lifecycle.streams.run((signal) => {
    signal.addEventListener("abort", () => {
      if (!finished) told.push("cut");
      finish();
    });
    return promise;
  });
  return { clock, lifecycle, told, finish };
}

Deno.test("draining leaves the intake, lets streams finish, then stops", async () => {
  const { clock, lifecycle, told, finish } = running();
  const drained = follow(lifecycle.drain());
  assert.equal(lifecycle.state, "draining");
  assert.equal(lifecycle.intake.aborted, true);
  assert.equal(lifecycle.streams.aborted, false);
  await clock.advance(9_999);
  assert.equal(drained().state, "pending");
  finish();
  await turn();
  assert.equal(drained().state, "fulfilled");
  assert.equal(lifecycle.state, "stopped");
  assert.deepEqual(told, ["draining 1", "stopped"]);
  assert.equal(clock.pending, 0);
});

Deno.test("streams that take too long are cut when the drain's time is up", async () => {
  const { clock, lifecycle, told } = running();
  const drained = lifecycle.drain();
  await clock.advance(10_000);
  await drained;
  assert.deepEqual(told, ["draining 1", "cut", "stopped"]);
});

Deno.test("a drain without time to give cuts streams at once", async () => {
  const { clock, lifecycle, told } = running(0);
  const drained = lifecycle.drain();
  await clock.advance(0);
  await drained;
  assert.deepEqual(told, ["draining 1", "cut", "stopped"]);
});

Deno.test("a second drain, or an end, cuts what the first was waiting for; both resolve", async () => {
  for (const again of ["drain", "end"] as const) {
    const { clock, lifecycle, told } = running();
    const first = lifecycle.drain();
    await turn();
    await lifecycle[again]();
    await first;
    assert.deepEqual(told, ["draining 1", "cut", "stopped"]);
    assert.equal(clock.pending, 0);
    await lifecycle.drain();
    await lifecycle.end();
    assert.deepEqual(told.length, 3);
  }
});

Deno.test("an end waits for every task, those of scopes below included", async () => {
  const { lifecycle } = running();
  const child = lifecycle.intake.child();
  const { promise, resolve } = Promise.withResolvers<void>();
  child.run(() => promise);
  const ended = follow(lifecycle.end());
  await turn();
  assert.equal(ended().state, "pending");
  assert.equal(lifecycle.state, "running");
  resolve();
  await turn();
  assert.equal(ended().state, "fulfilled");
});

Deno.test("a signal ends everything, also one that was aborted before", async () => {
  for (const before of [true, false]) {
    const { lifecycle, told } = running();
    const controller = new AbortController();
    if (before) controller.abort();
    lifecycle.endWith(controller.signal);
    controller.abort();
    await lifecycle.end();
    assert.deepEqual(told, ["cut", "stopped"]);
  }
});

Deno.test("a fault is told with its stack and ends nothing", async () => {
  const { lifecycle, told } = running();
  lifecycle.intake.run(() => Promise.reject(new Error("a mistake")));
  await turn();
  assert.deepEqual(told, ["fault Error: a mistake"]);
  assert.equal(lifecycle.state, "running");
  await lifecycle.end();
});
