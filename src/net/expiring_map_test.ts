import assert from "node:assert/strict";
import fc from "fast-check";
import { ExpiringMap } from "./expiring_map.ts";

Deno.test("what is not used for a while expires, and only that", () => {
  const map = new ExpiringMap<string, number>(10);
  map.add("old", 1, 0);
  map.add("used", 2, 0);
  map.add("new", 3, 50_000);
  assert.equal(map.use("used", 40_000), 2);
  map.expire(30_000, 60_000);
  assert.equal(map.use("old", 60_000), undefined);
  assert.equal(map.use("used", 60_000), 2);
  assert.equal(map.size, 2);
});

Deno.test("the latest may be used without a look at the time: it counts as used when the next is", () => {
  const map = new ExpiringMap<string, number>(10);
  map.add("a", 1, 0);
  map.add("b", 2, 0);
  assert.equal(map.latest, 2);
  assert.equal(map.useLazily("b", () => assert.fail("looked at the time")), 2);
  map.expire(30_000, 29_000);
  assert.equal(map.latest, undefined, "looked up again at least that often");
  map.expire(30_000, 58_000);
  assert.deepEqual([map.use("a", 58_000), map.use("b", 58_000)], [undefined, 2]);
  assert.equal(map.useLazily("a", () => 58_000), undefined);
  map.delete("b");
  assert.equal(map.latest, undefined);
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

Deno.test("who is used most does not make room because nobody looked at the time", () => {
  const dropped: string[] = [];
  const map = new ExpiringMap<string, string>(2, (value) => dropped.push(value));
  map.add("busy", "busy", 0);
  map.add("idle", "idle", 100);
  map.use("busy", 200);
  map.useLatest();
  map.add("new", "new", 5_000);
  assert.deepEqual(dropped, ["idle"]);
});

Deno.test("every value is dropped exactly once, however it leaves, and the bound holds", () => {
  const step = fc.record({
    does: fc.constantFrom("add", "use", "again", "delete", "expire", "clear"),
    key: fc.integer({ min: 0, max: 12 }),
    after: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const inside = new Set<{ key: number }>();
    const map = new ExpiringMap<number, { key: number }>(5, (value) => {
      assert.ok(inside.delete(value), "dropped twice");
    });
    let now = 0;
    const used = new Map<number, number>();
    /** Who was used without a look at the time; that counts when somebody looks. */
    let owed: number | undefined;
    const told = () => {
      if (owed !== undefined) used.set(owed, now);
      owed = undefined;
    };
    for (const { does, key, after } of steps) {
      now += after;
      if (does === "add") {
        const value = { key };
        if (owed === key) owed = undefined;
        told();
        map.add(key, value, now);
        inside.add(value);
        used.set(key, now);
      } else if (does === "use") {
        if (map.use(key, now) === undefined) continue;
        told();
        used.set(key, now);
      } else if (does === "again") {
        const { latest } = map;
        if (latest === undefined) continue;
        assert.ok(inside.has(latest), "the latest has left");
        map.useLatest();
        owed = latest.key;
      } else if (does === "delete") {
        map.delete(key);
        if (owed === key) owed = undefined;
      } else if (does === "expire") {
        map.expire(5_000, now);
        told();
        // To the second: nothing used in time is gone because of the grain alone.
        for (const [k, at] of used) {
          if (at < now - 5_000) assert.equal(map.use(k, now), undefined, "kept too long");
        }
      } else {
        map.clear();
        owed = undefined;
      }
      assert.equal(map.size, inside.size);
      assert.ok(map.size <= 5);
    }
    map.clear();
    assert.equal(inside.size, 0);
  }));
});
