import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { RatholeError } from "../runtime/errors.ts";
import { ChannelPool, type DataChannel } from "./pool.ts";

function makePool(target = 2, limit = 100, most = target) {
  const clock = new FakeClock();
  const asked: number[] = [];
  const left: MemoryConnection[] = [];
  const pool = new ChannelPool({
    reserve: { least: target, most },
    limit,
    clock,
    request: (count) => asked.push(count),
  });
  /** A client's end of a channel that was offered, or null when the pool did not want it. */
  const offer = () => {
    const [near, far] = memoryPair();
    return pool.offer(near, () => left.push(near)) ? { near, far } : null;
  };
  const total = () => asked.reduce((sum, n) => sum + n, 0);
  return { clock, pool, asked, total, left, offer };
}

function wanted<T>(value: T | null): T {
  assert.ok(value !== null, "the pool did not want the channel");
  return value;
}

Deno.test("it asks for its reserve at once, and for one more for each that is taken", async () => {
  const { pool, asked, offer } = makePool(3);
  assert.deepEqual(asked, [3]);
  assert.equal(pool.expected, 3);
  for (let i = 0; i < 3; i++) wanted(offer());
  assert.deepEqual([pool.idle, pool.expected], [3, 0]);
  await pool.take();
  assert.deepEqual(asked, [3, 1]);
  assert.deepEqual([pool.idle, pool.inUse, pool.expected], [2, 1, 1]);
});

Deno.test("who waits longest is served first, and the newest channel is the first to be used", async () => {
  const { pool, offer } = makePool(2);
  const channels = [wanted(offer()), wanted(offer())].reverse();
  for (const { near } of channels) assert.equal((await pool.take()).connection, near);
  const waiting = [follow(pool.take()), follow(pool.take())];
  const later = [wanted(offer()), wanted(offer())];
  await turn();
  for (const [i, progress] of waiting.map((w) => w()).entries()) {
    assert.ok(progress.state === "fulfilled");
    assert.equal(progress.value.connection, later[i]?.near);
    assert.equal(progress.value.first, undefined);
  }
});

Deno.test("an idle channel hands over the read that is under way on it", async () => {
  const { pool, offer } = makePool();
  const { far } = wanted(offer());
  const { first } = await pool.take();
  await far.write(Uint8Array.of(1, 2));
  assert.deepEqual(await first, Uint8Array.of(1, 2));
});

Deno.test("a channel that is lost while idle is closed, left and replaced", async () => {
  const losses = [
    (far: MemoryConnection) => far.abort(),
    (far: MemoryConnection) => far.reset(),
    (far: MemoryConnection) => void far.closeWrite(),
    (far: MemoryConnection) => void far.write(Uint8Array.of(9)),
  ];
  for (const lose of losses) {
    const { pool, asked, left, offer } = makePool(1);
    const { near, far } = wanted(offer());
    lose(far);
    await turn();
    assert.deepEqual([pool.idle, pool.expected], [0, 1]);
    assert.deepEqual(left, [near]);
    assert.ok(near.aborted);
    assert.deepEqual(asked, [1, 1]);
  }
});

Deno.test("a channel that is lost after it was taken is the visitor's business", async () => {
  const { pool, asked, left, offer } = makePool(1);
  const { near, far } = wanted(offer());
  const channel = await pool.take();
  far.abort();
  await turn();
  assert.deepEqual([pool.inUse, left.length, near.aborted], [1, 0, false]);
  channel.release();
  channel.release();
  assert.deepEqual([pool.inUse, left.length], [0, 1]);
  assert.deepEqual(asked, [1, 1]);
});

Deno.test("who waits too long is told how long, and nobody else is disturbed", async () => {
  const { clock, pool, offer } = makePool(0);
  const patient = follow(pool.take());
  const hasty = follow(pool.take(10_000));
  await clock.advance(10_000);
  assert.deepEqual(hasty(), {
    state: "rejected",
    reason: new RatholeError("timeout", "the client opened no data channel within 10 s"),
  });
  assert.equal(patient().state, "pending");
  wanted(offer());
  await turn();
  assert.equal(patient().state, "fulfilled");
});

Deno.test("time that is not whole is not told to the nanosecond", async () => {
  const { clock, pool } = makePool(0);
  const waiting = pool.take(9_999.993_418_999);
  waiting.catch(() => {});
  await clock.advance(10_000);
  await assert.rejects(waiting, { message: "the client opened no data channel within 10 s" });
});

Deno.test("a request that nobody answers is made anew after 5 s", async () => {
  const { clock, pool, asked } = makePool(2);
  await clock.advance(5_000);
  assert.deepEqual(asked, [2]);
  await clock.advance(1);
  assert.deepEqual(asked, [2, 2]);
  assert.equal(pool.expected, 2);
  assert.equal(clock.pending, 1);
  pool.close(new Error("over"));
  assert.equal(clock.pending, 0);
});

Deno.test("more than was asked for is not taken, and the caller keeps it", () => {
  const { offer, left, pool } = makePool(2);
  wanted(offer());
  wanted(offer());
  assert.equal(offer(), null);
  assert.deepEqual([pool.idle, left.length], [2, 0]);
});

Deno.test("what a burst leaves behind is kept up to 24 above the reserve, the newest", async () => {
  const { clock, pool, left, offer } = makePool(2);
  const gone = Array.from({ length: 40 }, () => pool.take(1_000));
  for (const taking of gone) taking.catch(() => {});
  await clock.advance(1_000);
  const came = Array.from({ length: 42 }, offer).map((channel) => wanted(channel).near);
  assert.deepEqual([pool.idle, pool.full], [26, true]);
  assert.deepEqual(left, came.slice(0, 16));
  assert.equal(offer(), null, "more than was asked for");
});

Deno.test("each visitor has the client asked for a channel, spare ones or not", async () => {
  const { clock, pool, asked, offer } = makePool(2);
  for (let i = 0; i < 2; i++) wanted(offer());
  pool.probe();
  wanted(offer());
  assert.deepEqual([asked, pool.idle, pool.unansweredSince], [[2, 1], 3, undefined]);
  await pool.take();
  assert.deepEqual([asked, pool.unansweredSince], [[2, 1, 1], clock.now()]);
  // One that is under way will tell as well.
  await pool.take();
  assert.deepEqual(asked, [2, 1, 1]);
});

Deno.test("visitors who had to wait make the reserve larger, and a quiet time makes it smaller", async () => {
  const { clock, pool, offer, left, total } = makePool(2, 100, 8);
  pool.tellsOtherwise = true;
  const visitors = Array.from({ length: 5 }, () => pool.take());
  assert.equal(total(), 12, "5 for those who wait, 7 in reserve");
  for (let i = 0; i < 12; i++) wanted(offer());
  for (const { connection, release } of await Promise.all(visitors)) {
    connection.abort();
    release();
  }
  assert.deepEqual([pool.idle, pool.expected], [7, 0]);
  await clock.advance(10_000);
  pool.refresh(60_000);
  assert.equal(pool.idle, 7, "somebody had to wait in these 10 s");
  for (const [size, idle] of [[4, 4], [2, 2], [2, 2]] as const) {
    await clock.advance(10_000);
    pool.refresh(1_000);
    assert.deepEqual([pool.idle, pool.expected >= size], [idle, true]);
  }
  assert.equal(left.length, 5 + 5);
});

Deno.test("what demand has added makes way where descriptors are short, the oldest first", async () => {
  const { pool, offer, left } = makePool(2, 100, 8);
  pool.tellsOtherwise = true;
  const visitors = Array.from({ length: 5 }, () => pool.take());
  for (let i = 0; i < 12; i++) wanted(offer());
  await Promise.all(visitors);
  assert.equal(pool.idle, 7);
  pool.makeWay();
  assert.deepEqual([pool.idle, left.length, pool.inUse], [2, 5, 5]);
  pool.close(new Error("over"));
  pool.makeWay();
});

Deno.test("while channels come, more are asked for a few at a time, unless somebody waits", async () => {
  const { pool, asked, offer } = makePool(16);
  pool.tellsOtherwise = true;
  for (let i = 0; i < 16; i++) wanted(offer());
  await pool.take();
  assert.deepEqual(asked, [16, 1], "the first at once");
  for (let i = 0; i < 3; i++) await pool.take();
  assert.deepEqual(asked, [16, 1]);
  await pool.take();
  assert.deepEqual(asked, [16, 1, 4], "a quarter of the reserve");
  await pool.take();
  for (let i = 0; i < 5; i++) wanted(offer());
  assert.deepEqual([asked, pool.idle], [[16, 1, 4, 1], 15], "what is missing when all have come");
  for (let i = 0; i < 15; i++) await pool.take();
  const before = asked.length;
  pool.take().catch(() => {});
  assert.equal(pool.expected, 17);
  assert.equal(asked.length, before + 1, "for one that waits, and what the batch had left");
  pool.close(new Error("over"));
});

Deno.test("a client that can show its life by answers alone is asked for one with every visitor", async () => {
  const { clock, pool, asked, offer } = makePool(16);
  for (let i = 0; i < 16; i++) wanted(offer());
  for (let i = 0; i < 3; i++) await pool.take();
  assert.deepEqual(asked, [16, 1, 1, 1]);
  // It answers the first one, and then hangs.
  wanted(offer());
  assert.equal(pool.unansweredSince, undefined);
  await pool.take();
  assert.equal(pool.unansweredSince, clock.now());
});

Deno.test("the reserve of a client that can show its life by answers alone does not grow", () => {
  const { pool, total } = makePool(2, 100, 8);
  for (let i = 0; i < 5; i++) pool.take().catch(() => {});
  assert.equal(total(), 7);
  pool.close(new Error("over"));
});

Deno.test("whoever waits has a channel asked for, although as many are coming already", () => {
  const { pool, asked } = makePool(8);
  pool.tellsOtherwise = true;
  pool.take().catch(() => {});
  assert.deepEqual(asked, [8, 1], "those may be lost on the way");
  pool.close(new Error("over"));
});

Deno.test("a probe of a full pool takes the place of the channel that waited longest", async () => {
  for (const [limit, full] of [[3, 3], [100, 26]] as const) {
    const { pool, left, offer } = makePool(2, limit);
    for (let i = 0; i < 2; i++) wanted(offer());
    const all = [...left];
    while (!pool.full) {
      pool.probe();
      all.push(wanted(offer()).near);
    }
    assert.deepEqual([pool.idle, left.length], [full, 0]);
    for (let i = 1; i <= 50; i++) {
      pool.probe();
      wanted(offer());
      assert.deepEqual([pool.idle, left.length, pool.expected], [full, i, 0]);
    }
  }
  const { pool, left, offer } = makePool(1, 1);
  wanted(offer());
  await pool.take();
  pool.probe();
  assert.equal(offer(), null, "one in use is never retired");
  assert.equal(left.length, 0);
});

Deno.test("channels that waited too long are replaced, one for one, the newcomer first", async () => {
  const { clock, pool, asked, left, offer } = makePool(2);
  const old = [wanted(offer()).near, wanted(offer()).near];
  await clock.advance(1_000);
  pool.refresh(1_001);
  assert.deepEqual(asked, [2]);
  pool.refresh(1_000);
  pool.refresh(1_000);
  assert.deepEqual(asked, [2, 2], "asked for once");
  wanted(offer());
  assert.deepEqual([left, pool.idle], [old.slice(0, 1), 2]);
  const newest = wanted(offer()).near;
  assert.deepEqual([left, pool.idle], [old, 2]);
  assert.equal((await pool.take()).connection, newest);
});

Deno.test("an answer to any request counts, and so does whatever else was heard", async () => {
  const { clock, pool, offer } = makePool(2);
  const start = clock.now();
  assert.equal(pool.unansweredSince, start);
  await clock.advance(3_000);
  wanted(offer());
  assert.deepEqual([pool.unansweredSince, pool.heardAt, pool.expected], [
    undefined,
    start + 3_000,
    1,
  ]);
  pool.take(60_000).catch(() => {});
  pool.take(60_000).catch(() => {});
  assert.equal(pool.unansweredSince, start + 3_000);
  await clock.advance(6_000);
  assert.equal(pool.unansweredSince, start + 3_000, "asked again, unanswered since the first time");
  pool.heard();
  assert.deepEqual([pool.unansweredSince, pool.heardAt], [undefined, start + 9_000]);
  pool.close(new Error("over"));
});

Deno.test("channels in use survive their session, except where the client was found silent", async () => {
  for (const [code, cut] of [["closed", false], ["aborted", false], ["timeout", true]] as const) {
    const { pool, offer } = makePool();
    wanted(offer());
    const { connection, first } = await pool.take();
    const reading = follow(first ?? assert.fail());
    pool.close(new RatholeError(code, "over"));
    await turn();
    assert.equal(reading().state === "rejected", cut, code);
    connection.abort();
  }
});

Deno.test("the limit counts channels in use, idle and coming; a release makes room", async () => {
  const { pool, asked, offer, total } = makePool(4, 2);
  assert.deepEqual(asked, [2]);
  wanted(offer());
  wanted(offer());
  const first = await pool.take();
  await pool.take();
  await assert.rejects(pool.take(), { code: "limit", message: "max_data_channels = 2 reached" });
  assert.equal(total(), 2);
  first.release();
  assert.equal(total(), 3, "the reserve is restored as soon as there is room");
  const third = follow(pool.take());
  wanted(offer());
  await turn();
  assert.equal(third().state, "fulfilled");
  assert.equal(total(), 3);
});

Deno.test("closing refuses who waits and who comes, and closes what is idle", async () => {
  const { clock, pool, left, offer } = makePool(1);
  const { near } = wanted(offer());
  const used = await pool.take();
  const idle = wanted(offer());
  const reason = new RatholeError("aborted", "displaced");
  const other = makePool(0);
  const waiting = [follow(other.pool.take()), follow(other.pool.take(10_000))];
  other.pool.close(reason);
  pool.close(reason);
  pool.close(new Error("again"));
  await turn();
  for (const w of waiting) assert.deepEqual(w(), { state: "rejected", reason });
  assert.deepEqual([idle.near.aborted, idle.near.reason], [true, reason]);
  assert.equal(near.aborted, false, "what carries a visitor goes on");
  assert.deepEqual(left, [idle.near]);
  assert.equal(offer(), null);
  await assert.rejects(pool.take(), reason);
  used.release();
  assert.deepEqual(left, [idle.near, near]);
  assert.equal(clock.pending + other.clock.pending, 0);
});

type Step =
  | { readonly does: "take"; readonly timeout: number | undefined }
  | { readonly does: "offer" | "release" | "lose"; readonly which: number }
  | { readonly does: "tick"; readonly ms: number }
  | { readonly does: "refresh"; readonly ms: number }
  | { readonly does: "probe" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant("take" as const),
    timeout: fc.option(fc.integer({ min: 0, max: 15_000 }), { nil: undefined }),
  }),
  fc.record({
    does: fc.constantFrom("offer" as const, "release" as const, "lose" as const),
    which: fc.nat(50),
  }),
  fc.record({
    does: fc.constantFrom("tick" as const, "refresh" as const),
    ms: fc.integer({ min: 0, max: 13_000 }),
  }),
  fc.record({ does: fc.constant("probe" as const) }),
);

Deno.test("any interleaving keeps every channel owned, every bound, the order, and no promise waiting", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, target, limit) => {
        const { clock, pool, offer, left } = makePool(target, limit);
        const accepted: { near: MemoryConnection; far: MemoryConnection }[] = [];
        const takes: (() => ReturnType<ReturnType<typeof follow<DataChannel>>>)[] = [];
        const served: number[] = [];
        const released = new Set<MemoryConnection>();
        const held: DataChannel[] = [];
        const fates: string[] = [];
        const take = (timeout: number | undefined) => {
          const index = takes.length;
          takes.push(follow(
            pool.take(timeout).then((channel) => {
              served.push(index);
              held.push(channel);
              fates[index] = "served";
              return channel;
            }, (error) => {
              fates[index] = error instanceof RatholeError ? error.code : "unknown";
              throw error;
            }),
          ));
        };
        let probes = 0;
        for (const s of steps) {
          if (s.does === "take") take(s.timeout);
          else if (s.does === "probe") {
            probes++;
            pool.probe();
          } else if (s.does === "refresh") {
            probes += pool.idle;
            pool.refresh(s.ms);
          } else if (s.does === "tick") clock.tick(s.ms);
          else if (s.does === "offer") {
            const channel = offer();
            if (channel !== null) accepted.push(channel);
          } else if (s.does === "lose") {
            accepted[s.which % Math.max(1, accepted.length)]?.far.abort();
          } else {
            const [channel] = held.splice(s.which % Math.max(1, held.length), 1);
            if (channel !== undefined) {
              channel.connection.abort();
              channel.release();
              for (const { near } of accepted) {
                if (near === channel.connection) released.add(near);
              }
            }
          }
          // A real turn now and then would do; microtasks are enough for memory connections.
          for (let i = 0; i < 12; i++) await Promise.resolve();
          assert.ok(pool.idle + pool.inUse <= limit, "limit");
          const most = limit + target + probes;
          assert.ok(pool.idle + pool.inUse + pool.expected <= most, "requests");
          assert.equal(pool.inUse, held.length, "in use");
          // Every channel that was accepted is idle, in use, or was left exactly once.
          assert.equal(accepted.length, pool.idle + pool.inUse + left.length, "a channel got lost");
          assert.equal(new Set(left).size, left.length, "left twice");
          for (const near of released) assert.ok(left.includes(near));
          const waiting = takes.filter((t) => t().state === "pending").length;
          assert.ok(waiting === 0 || pool.idle === 0, "somebody waits beside an idle channel");
          if (waiting > 0) {
            assert.ok(pool.expected > 0 || pool.inUse >= limit, "waits for nothing");
          }
        }
        assert.deepEqual(served, served.toSorted((a, b) => a - b), "served out of turn");
        pool.close(new RatholeError("closed", "the client is gone"));
        await turn();
        assert.ok(takes.every((t) => t().state !== "pending"), "a promise was left waiting");
        for (const channel of held) channel.release();
        assert.equal(left.length, accepted.length);
        assert.deepEqual([pool.idle, pool.inUse, pool.expected, clock.pending], [0, 0, 0, 0]);
        for (const fate of fates) {
          assert.ok(["served", "timeout", "limit", "closed"].includes(fate), fate);
        }
      },
    ),
    { numRuns: 150 },
  );
});
