import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { Penalties } from "./penalties.ts";

const A = "192.0.2.1";

function penalties({ failures = 3, longest = 60 } = {}) {
  const clock = new FakeClock();
  const limits = { max_auth_failures_per_ip: failures, max_auth_penalty: longest };
  return { clock, limits, list: new Penalties(() => limits, clock) };
}

/** Seconds until the network is let in again, by asking every half second. */
function refusedFor({ clock, list }: ReturnType<typeof penalties>, network = A): number {
  for (let seconds = 0;; seconds += 0.5) {
    if (list.refusal(network) === null) return seconds;
    assert.ok(seconds < 1000, "for ever");
    clock.tick(500);
  }
}

Deno.test("penalties: the first failures are free, then a second, doubled up to the longest", () => {
  const p = penalties();
  const refused: number[] = [];
  for (let i = 0; i < 11; i++) {
    p.list.failed(A);
    refused.push(refusedFor(p));
  }
  assert.deepEqual(refused, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  assert.equal(refusedFor(p, "192.0.2.2"), 0);
});

Deno.test("penalties: the reason says how often and how long", () => {
  const { list } = penalties();
  for (let i = 0; i < 3; i++) list.failed(A);
  assert.equal(
    list.refusal(A),
    "clients at this address failed to authenticate 3 times in a row; refused for 1 s",
  );
});

Deno.test("penalties: a thousand that were under way count as one more", () => {
  const p = penalties();
  for (let i = 0; i < 1000; i++) p.list.failed(A);
  assert.equal(refusedFor(p), 1);
  for (let i = 0; i < 1000; i++) p.list.failed(A);
  assert.equal(refusedFor(p), 2);
});

Deno.test("penalties: asking while refused makes it no longer", () => {
  const p = penalties();
  for (let i = 0; i < 3; i++) p.list.failed(A);
  for (let i = 0; i < 100; i++) p.list.refusal(A);
  assert.equal(refusedFor(p), 1);
});

Deno.test("penalties: success forgives one, a new configuration all", () => {
  const p = penalties();
  for (const network of [A, "b", "c"]) for (let i = 0; i < 3; i++) p.list.failed(network);
  p.list.succeeded(A);
  assert.equal(p.list.refusal(A), null);
  assert.notEqual(p.list.refusal("b"), null);
  p.list.forgive();
  assert.equal(p.list.refusal("b"), null);
  p.list.failed(A);
  p.list.failed(A);
  assert.equal(p.list.refusal(A), null, "counted from the beginning");
});

Deno.test("penalties: a quarter of an hour forgives, 4,096 networks are remembered", () => {
  const p = penalties();
  for (let i = 0; i < 3; i++) p.list.failed(A);
  p.clock.tick(16 * 60_000);
  p.list.failed("other");
  assert.equal(p.list.size, 1);
  for (let i = 0; i < 100_000; i++) p.list.failed(`network ${i}`);
  assert.equal(p.list.size, 4096);
});

Deno.test("penalties: 0 refuses nobody, and the limits may change meanwhile", () => {
  const p = penalties({ longest: 0 });
  for (let i = 0; i < 50; i++) p.list.failed(A);
  assert.equal(p.list.refusal(A), null);
  p.limits.max_auth_penalty = 5;
  p.list.failed(A);
  assert.equal(refusedFor(p), 5);
});
