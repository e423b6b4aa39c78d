import assert from "node:assert/strict";
import fc from "fast-check";
import { pattern, readAll } from "../../tests/support/connection_contract.ts";
import { type MemoryOptions, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until, untilStable } from "../../tests/support/turns.ts";
import { RatholeError } from "../runtime/errors.ts";
import { pump } from "./pump.ts";

/** visitor ⇄ (a, pump, b) ⇄ service */
function relay(options: MemoryOptions = {}) {
  const [visitor, a] = memoryPair(options);
  const [b, service] = memoryPair(options);
  const counters = { forward: { bytes: 0 }, backward: { bytes: 0 } };
  return { visitor, a, b, service, counters };
}

Deno.test("both directions arrive whole, ended by either side first, and are counted", async () => {
  const sizes = fc.integer({ min: 0, max: 200_000 });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      sizes,
      fc.boolean(),
      fc.integer({ min: 1, max: 40_000 }),
      async (up, down, visitorFirst, readSize) => {
        const { visitor, a, b, service, counters } = relay({ readSize: readSize + 2_000 });
        const pumping = pump(a, b, counters);
        const [first, second] = visitorFirst ? [visitor, service] : [service, visitor];
        const [firstSize, secondSize] = visitorFirst ? [up, down] : [down, up];
        // The second answers only once it has seen the end of the first.
        const writing = first.write(pattern(firstSize)).then(() => first.closeWrite());
        assert.deepEqual(await readAll(second), pattern(firstSize));
        const answering = second.write(pattern(secondSize)).then(() => second.closeWrite());
        assert.deepEqual(await readAll(first), pattern(secondSize));
        await Promise.all([writing, answering]);
        assert.equal(await pumping, null);
        assert.deepEqual(counters, { forward: { bytes: up }, backward: { bytes: down } });
        assert.ok(a.aborted && b.aborted);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("what breaks one direction cuts both connections and is the result", async () => {
  const cuts = [
    ["the visitor's reset", (r: ReturnType<typeof relay>) => r.visitor.reset()],
    ["the service's reset", (r: ReturnType<typeof relay>) => r.service.reset()],
  ] as const;
  for (const [what, cut] of cuts) {
    const r = relay();
    const pumping = pump(r.a, r.b, r.counters);
    await r.visitor.write(pattern(10));
    await turn();
    cut(r);
    const error = await pumping;
    assert.ok(error instanceof RatholeError && error.code === "closed", what);
    assert.ok(r.a.aborted && r.b.aborted, what);
  }
});

Deno.test("an abort from outside ends it with its reason, also while a write is stuck", async () => {
  const r = relay({ capacity: 100 });
  const pumping = follow(pump(r.a, r.b, r.counters));
  const writing = follow(r.visitor.write(pattern(10_000)));
  await turn();
  assert.equal(pumping().state, "pending");
  const reason = new RatholeError("aborted", "the server was stopped");
  r.b.abort(reason);
  await turn();
  assert.deepEqual(pumping(), { state: "fulfilled", value: reason });
  assert.equal(writing().state, "rejected");
});

Deno.test("a cut in the middle of both directions at once rejects nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60_000 }), async (cutAfter) => {
      const [visitor, a] = memoryPair({ cutAfter, readSize: 1500 });
      const [b, service] = memoryPair({ readSize: 1500 });
      const ends = [visitor, service].flatMap((end) => [
        follow(end.write(pattern(40_000)).then(() => end.closeWrite())),
        follow(readAll(end)),
      ]);
      const counters = { forward: { bytes: 0 }, backward: { bytes: 0 } };
      const error = await pump(a, b, counters);
      assert.ok(error === null || error instanceof RatholeError);
      assert.ok(a.aborted && b.aborted);
      await until(() => ends.every((end) => end().state !== "pending"), "all ends woken");
    }),
    { numRuns: 50 },
  );
});

Deno.test("a read that is under way counts as the first of its direction", async () => {
  const r = relay();
  const first = r.b.read();
  await r.service.write(pattern(100));
  const pumping = pump(r.a, r.b, r.counters, first);
  await r.service.closeWrite();
  assert.deepEqual(await readAll(r.visitor), pattern(100));
  await r.visitor.closeWrite();
  assert.equal(await pumping, null);
  assert.equal(r.counters.backward.bytes, 100);
});

Deno.test("a first read that fails ends both", async () => {
  const r = relay();
  const first = r.b.read();
  const pumping = pump(r.a, r.b, r.counters, first);
  r.service.reset();
  assert.ok(await pumping instanceof RatholeError);
  assert.ok(r.a.aborted);
});

Deno.test("a reader that stops stops the other end; nothing piles up in between", async () => {
  const r = relay({ capacity: 1_000, readSize: 1_000 });
  const pumping = pump(r.a, r.b, r.counters);
  let written = 0;
  const writing = follow((async () => {
    for (;;) {
      await r.visitor.write(pattern(500));
      written += 500;
    }
  })());
  assert.ok(await untilStable(() => written) <= 4_000);
  r.visitor.abort();
  r.service.abort();
  await pumping;
  assert.equal(writing().state, "rejected");
});
