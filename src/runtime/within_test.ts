import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { RatholeError } from "./errors.ts";
import { Scope } from "./scope.ts";
import { within } from "./within.ts";

function bounds() {
  const clock = new FakeClock();
  const scope = new Scope((error) => assert.fail(String(error)));
  return { clock, scope, timeout: 10_000, what: "connecting to 192.0.2.1:2333" };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

Deno.test("an attempt that succeeds leaves no deadline, and a later end of the scope spares it", async () => {
  const b = bounds();
  let seen: AbortSignal | undefined;
  const result = await within(b, (signal) => {
    seen = signal;
    return Promise.resolve(42);
  });
  assert.equal(result, 42);
  assert.equal(b.clock.pending, 0);
  b.scope.abort();
  assert.equal(seen?.aborted, false);
});

Deno.test("an attempt that fails leaves no deadline either", async () => {
  const b = bounds();
  const error = new RatholeError("connect", "refused");
  await assert.rejects(within(b, () => Promise.reject(error)), error);
  assert.equal(b.clock.pending, 0);
});

Deno.test("an attempt that throws at once does too", async () => {
  const b = bounds();
  const error = new Error("thrown");
  await assert.rejects(
    within(b, () => {
      throw error;
    }),
    error,
  );
  assert.equal(b.clock.pending, 0);
});

Deno.test("when the time is up, the signal says what took too long", async () => {
  const b = bounds();
  const attempt = follow(within(b, untilAborted));
  b.clock.tick(9_999);
  await turn();
  assert.equal(attempt().state, "pending");
  b.clock.tick(1);
  await turn();
  assert.deepEqual(attempt(), {
    state: "rejected",
    reason: new RatholeError("timeout", "connecting to 192.0.2.1:2333 took more than 10 s"),
  });
});

Deno.test("a scope that is left, or was, ends the attempt with its reason", async () => {
  for (const before of [true, false]) {
    const b = bounds();
    const reason = new RatholeError("aborted", "the client is stopping");
    if (before) b.scope.abort(reason);
    const attempt = within(b, async (signal) => {
      if (signal.aborted) throw signal.reason;
      await untilAborted(signal);
    });
    if (!before) b.scope.abort(reason);
    await assert.rejects(attempt, reason);
    assert.equal(b.clock.pending, 0);
  }
});
