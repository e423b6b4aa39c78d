import assert from "node:assert/strict";
import { Growth, Reserve } from "./reserve.ts";

Deno.test("a reserve grows by those who had to wait, up to its most", () => {
  const reserve = new Reserve({ least: 8, most: 64 }, 0);
  assert.equal(reserve.size, 8);
  for (const [waiting, size] of [[1, 9], [20, 28], [3, 28], [500, 64]] as const) {
    reserve.missed(waiting, 0);
    assert.equal(reserve.size, size);
  }
});

Deno.test("a reserve without room to grow stays what it is", () => {
  const reserve = new Reserve({ least: 100, most: 100 }, 0);
  reserve.missed(50, 0);
  assert.equal(reserve.size, 100);
});

Deno.test("it halves for each 10 s in which more than half of it was left, down to its least", () => {
  const reserve = new Reserve({ least: 8, most: 64 }, 0);
  reserve.missed(56, 0);
  reserve.review(10_000);
  assert.equal(reserve.size, 64, "somebody had to wait");
  reserve.taken(32);
  reserve.review(19_999);
  assert.equal(reserve.size, 64, "not yet");
  reserve.review(20_000);
  assert.equal(reserve.size, 64, "half of it was needed");
  reserve.taken(33);
  reserve.review(30_000);
  assert.equal(reserve.size, 32);
  for (const [now, size] of [[40_000, 16], [50_000, 8], [60_000, 8]] as const) {
    reserve.review(now);
    assert.equal(reserve.size, size, "nobody came");
  }
});

Deno.test("one that had to make way is its least, and grows again only after a minute", () => {
  const reserve = new Reserve({ least: 8, most: 64 }, 0);
  reserve.missed(20, 0);
  reserve.makeWay(1_000);
  assert.equal(reserve.size, 8);
  reserve.missed(20, 60_999);
  assert.equal(reserve.size, 8);
  reserve.missed(20, 61_000);
  assert.equal(reserve.size, 28);
});

Deno.test("reserves share what they may grow by, and give it back", () => {
  const growth = new Growth(30);
  const [one, other] = [0, 0].map(() => new Reserve({ least: 8, most: 64, growth }, 0));
  one?.missed(20, 0);
  other?.missed(20, 0);
  assert.deepEqual([one?.size, other?.size], [28, 18]);
  one?.makeWay(0);
  other?.missed(56, 0);
  assert.deepEqual([one?.size, other?.size], [8, 38]);
  other?.close();
  other?.close();
  assert.equal(growth.take(100), 30);
});
