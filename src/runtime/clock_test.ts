import assert from "node:assert/strict";
import fc from "fast-check";
import { sleep, SystemClock } from "./clock.ts";

/** A clock whose time stands still until `release`, so that deadlines armed in a row relate exactly. */
function heldClock(): { clock: SystemClock; release: () => void } {
  const start = performance.now();
  let held = true;
  return {
    clock: new SystemClock(() => held ? start : performance.now()),
    release: () => held = false,
  };
}

Deno.test("deadlines fire in order of time", async () => {
  const { clock, release } = heldClock();
  const fired: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const ms of [15, 1, 9, 3, 12, 6]) clock.after(ms, () => fired.push(ms));
  clock.after(20, resolve);
  release();
  await promise;
  assert.deepEqual(fired, [1, 3, 6, 9, 12, 15]);
});

Deno.test("a cancelled deadline never fires and leaves no timer behind", async () => {
  const clock = new SystemClock();
  let fired = 0;
  {
    using _deadline = clock.after(1, () => fired++);
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.after(5, resolve);
  await promise;
  assert.equal(fired, 0);
});

Deno.test("a deadline beyond what one timer can wait is not due at once", async () => {
  const clock = new SystemClock();
  let fired = false;
  const far = clock.after(Number.MAX_SAFE_INTEGER, () => fired = true);
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.after(2, resolve);
  await promise;
  far.cancel();
  assert.equal(fired, false);
});

Deno.test("a callback that throws does not keep later deadlines from firing", async () => {
  const clock = new SystemClock();
  const seen: unknown[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    seen.push(event.error.message);
  };
  globalThis.addEventListener("error", onError);
  try {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(1, () => {
      throw new Error("thrown by a callback");
    });
    clock.after(2, resolve);
    await promise;
  } finally {
    globalThis.removeEventListener("error", onError);
  }
  assert.deepEqual(seen, ["thrown by a callback"]);
});

Deno.test("any mix of arming and cancelling fires exactly what was left, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { maxLength: 40 }),
      async (plan) => {
        const { clock, release } = heldClock();
        const fired: number[] = [];
        const armed = plan.map(([ms]) => clock.after(ms, () => fired.push(ms)));
        plan.forEach(([, cancelled], i) => cancelled && armed[i]?.cancel());
        const { promise, resolve } = Promise.withResolvers<void>();
        clock.after(7, resolve);
        release();
        await promise;
        const left = plan.filter(([, cancelled]) => !cancelled).map(([ms]) => ms);
        assert.deepEqual(fired, left.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("sleep ends when its signal is aborted, before or during", async () => {
  const clock = new SystemClock();
  await sleep(clock, 60_000, AbortSignal.abort());
  const controller = new AbortController();
  const sleeping = sleep(clock, 60_000, controller.signal);
  controller.abort();
  await sleeping;
});
