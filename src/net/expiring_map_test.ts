import assert from "node:assert/strict";
import fc from "fast-check";
import { ExpiringMap } from "./expiring_map.ts";

Deno.test("what is not used for a while expires, and only that", () => {
  const map = new ExpiringMap<string, number>(10);
  map.add("old", 1, 0);
  map.add("used", 2, 0);
  map.add("new", 3, 50_000);
  assert.equal(map.use("used", 40_000), 2);
  map.expire(30_000);
  assert.equal(map.use("old", 60_000), undefined);
  assert.equal(map.use("used", 60_000), 2);
  assert.equal(map.size, 2);
});

Deno.test("the one idle longest makes room for a new one; a known key does not", () => {
  const dropped: string[] = [];
  const map = new ExpiringMap<string, string>(2, (value) => dropped.push(value));
  map.add("a", "A", 0);
  map.add("b", "B", 10);
  map.use("a", 5_000);
  map.add("c", "C", 6_000);
  assert.deepEqual(dropped, ["B"]);
  map.add("a", "A2", 7_000);
  assert.deepEqual(dropped, ["B", "A"]);
  assert.equal(map.use("a", 7_000), "A2");
});

Deno.test("every value is dropped exactly once, however it leaves, and the bound holds", () => {
  const step = fc.record({
    does: fc.constantFrom("add", "use", "delete", "expire", "clear"),
    key: fc.integer({ min: 0, max: 12 }),
    after: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const inside = new Set<object>();
    const map = new ExpiringMap<number, object>(5, (value) => {
      assert.ok(inside.delete(value), "dropped twice");
    });
    let now = 0;
    const used = new Map<number, number>();
    for (const { does, key, after } of steps) {
      now += after;
      if (does === "add") {
        const value = {};
        map.add(key, value, now);
        inside.add(value);
        used.set(key, now);
      } else if (does === "use") {
        if (map.use(key, now) !== undefined) used.set(key, now);
      } else if (does === "delete") map.delete(key);
      else if (does === "expire") {
        map.expire(now - 5_000);
        // To the second: nothing used in time is gone because of the grain alone.
        for (const [k, at] of used) {
          if (at < now - 5_000) assert.equal(map.use(k, now), undefined, "kept too long");
        }
      } else map.clear();
      assert.equal(map.size, inside.size);
      assert.ok(map.size <= 5);
    }
    map.clear();
    assert.equal(inside.size, 0);
  }));
});
