import assert from "node:assert/strict";
import { Closings } from "./tls_closings.ts";

/** For how many of `count` closings, `every` milliseconds apart, there were many already. */
function manyOf(count: number, every: number): number {
  let now = 0;
  let many = 0;
  const closings = new Closings(() => now);
  for (let i = 0; i < count; i++, now += every) {
    if (closings.many) many++;
    closings.add();
  }
  return many;
}

Deno.test("the runtime's threads bear 160 closings a second, and 16 at once", () => {
  assert.equal(manyOf(1000, 7), 0);
  assert.equal(manyOf(16, 0), 0);
  assert.equal(manyOf(17, 0), 1);
  assert.ok(manyOf(1000, 3) > 900);
});

Deno.test("many closings are over as soon as the threads are free", () => {
  let now = 0;
  const closings = new Closings(() => now);
  for (let i = 0; i < 160; i++) closings.add();
  now = 900;
  assert.ok(closings.many);
  now = 901;
  assert.ok(!closings.many);
});
