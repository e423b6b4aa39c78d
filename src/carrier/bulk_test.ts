import assert from "node:assert/strict";
import { BulkMeter } from "./bulk.ts";

/** Verdicts on chunks of these sizes, negative ones coming in, `every` milliseconds apart. */
function verdicts(sizes: Iterable<number>, every = 0): boolean[] {
  let now = 5_000;
  const meter = new BulkMeter(now);
  const all: boolean[] = [];
  for (const size of sizes) {
    now += every;
    if (meter.count(Math.abs(size), size > 0)) all.push(meter.judge(now));
  }
  return all;
}

function repeat(pattern: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => pattern).flat();
}

Deno.test("a download is bulk, and so is an upload, whatever the chunks", () => {
  for (const size of [1_000_000, 65_536, 16_384, 1400, 1]) {
    for (const sign of [1, -1]) {
      const [first] = verdicts(repeat([sign * size], Math.ceil(1_000_000 / size)));
      assert.equal(first, true, `chunks of ${sign * size}`);
    }
  }
});

Deno.test("a download that is acknowledged now and then is bulk", () => {
  assert.equal(verdicts(repeat([...repeat([-16_384], 8), 10], 20))[0], true);
});

Deno.test("requests and replies are none, however many", () => {
  for (const [request, reply] of [[100, 100], [500, 10_000], [1, 15_000], [8_000, 1]]) {
    const all = verdicts(repeat([request ?? 0, -(reply ?? 0)], 10_000));
    assert.ok(all.length > 0);
    assert.ok(!all.includes(true), `${request} and ${reply}`);
  }
});

Deno.test("bytes of both directions at once, chunk by chunk, are bulk if chunks are large", () => {
  assert.equal(verdicts(repeat([65_536, -65_536], 20))[0], true);
});

Deno.test("what takes its time holds up nobody: no bulk, and never will be at that pace", () => {
  const all = verdicts(repeat([-1_000], 5_000), 1_000);
  assert.ok(all.length > 1);
  assert.ok(!all.includes(true));
});

Deno.test("what was a conversation may become bulk, and is judged by what is new", () => {
  const talk = repeat([100, -100], 10_000);
  const all = verdicts([...talk, ...repeat([-16_384], 100)]);
  assert.equal(all[0], false);
  assert.equal(all.at(-1), true);
});

Deno.test("little is not judged at all", () => {
  assert.deepEqual(verdicts(repeat([-1_000], 100)), []);
});
