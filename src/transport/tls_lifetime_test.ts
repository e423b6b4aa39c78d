import { equal } from "node:assert/strict";
import { lifetimeState } from "./tls_lifetime.ts";

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const notBefore = new Date("2027-01-01T00:00:00Z");
const notAfter = new Date("2027-03-31T23:59:59Z");

Deno.test("a certificate's first and last second count, and its last week is told", () => {
  const state = (now: number) => lifetimeState({ notBefore, notAfter }, now);
  const [first, last] = [notBefore.getTime(), notAfter.getTime()];
  equal(state(first - 1), "not-yet-valid");
  equal(state(first), undefined);
  equal(state(last - 7 * DAY - 1), undefined);
  equal(state(last - 7 * DAY), "expires-soon");
  equal(state(last + SECOND - 1), "expires-soon");
  equal(state(last + SECOND), "expired");
});

Deno.test("a lifetime that nobody knows is not complained of", () => {
  const unknown = new Date(NaN);
  equal(lifetimeState({ notBefore: unknown, notAfter: unknown }, Date.now()), undefined);
});
