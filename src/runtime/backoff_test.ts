import assert from "node:assert/strict";
import fc from "fast-check";
import { Backoff } from "./backoff.ts";

Deno.test("waits grow threefold from half a second to the cap, and start over after a reset", () => {
  const backoff = new Backoff(10_000, () => 0.5);
  assert.deepEqual(
    Array.from({ length: 5 }, () => backoff.next()),
    [500, 1500, 4500, 10_000, 10_000],
  );
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

Deno.test("every wait is within 20 % of its value and never above the cap", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 60_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (cap, draw) => {
        const plain = new Backoff(cap, () => 0.5);
        const drawn = new Backoff(cap, () => draw);
        for (let i = 0; i < 6; i++) {
          const [expected, actual] = [plain.next(), drawn.next()];
          assert.ok(actual <= cap);
          assert.ok(actual >= expected * 0.79 && actual <= expected * 1.21);
        }
      },
    ),
  );
});

Deno.test("no interval at all still leaves a pause between attempts", () => {
  const backoff = new Backoff(0, () => 0);
  for (let i = 0; i < 3; i++) assert.ok(backoff.next() >= 80);
});

Deno.test("a herd of 100 does not return in the same instant", () => {
  const first = new Set(Array.from({ length: 100 }, () => new Backoff(60_000).next()));
  assert.ok(first.size > 50);
});
