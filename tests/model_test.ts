/**
 * Streams on carriers against a model of them: bytes stay whole and in order under any interleaving
 * of data, moves, ends, resets and losses. `deno task model` does a million of these.
 *
 * @module
 */

import assert from "node:assert/strict";
import { campaign, describe, replay } from "./model/campaign.ts";
import { format, generate, parse } from "./model/schedule.ts";

/** Runs in about two seconds. */
const RUNS = 4_000;
const STEPS = 40;

/** What was wrong once, as small as it got. */
const ONCE: readonly (readonly [what: string, schedule: string])[] = [
  [
    "a carrier that leaves answers nothing that comes late",
    "0.0.0.0.0.0.0.0.0.0.0.3/0.0.0.0.0",
  ],
  [
    "a stream that only waits for its channel survives that its carrier is left",
    "0.0.0.0.0.0.0.0.0.0.0.0/0.0.0.0.0/7.0.0.0.0/12.0.0.0.0/3.0.15.0.0/5.183.0.0.0/3.0.13.1.0/" +
    "8.0.0.0.0",
  ],
  [
    "so it does where others are lost with the carrier",
    "1.0.0.0.0.0.0.0.0.0.0.0/0.0.0.0.0/7.0.0.0.0/3.0.125.0.0/9.0.0.0.0/5.0.0.0.0/12.111.0.0.0/" +
    "0.0.0.0.0/4.0.0.0.0",
  ],
  [
    "a channel that cannot be half-closed any more can still be read",
    "0.0.0.0.0.1.1.0.0.0.0.0/0.0.0.0.0/5.0.0.0.0/3.0.2.20.0/7.0.0.0.0/2.139.0.0.0/1.33.0.0.0/" +
    "9.0.0.0.0/5.153.0.0.0",
  ],
  [
    "a reset is no end where bytes were under way on the channel",
    "0.0.0.0.0.0.0.0.0.0.0.0/0.0.0.0.0/7.0.0.0.0/8.0.0.0.0/2.0.0.0.0/6.0.0.0.0",
  ],
  [
    "a reset leaves what has come, though a write is under way on the channel",
    "0.0.0.2.0.0.0.0.0.0.2.0/0.0.0.0.0/3.0.2.110.0/7.0.0.0.0/2.67.69.0.1/9.0.0.0.0/2.0.0.0.0/" +
    "6.0.0.0.0/4.0.0.0.0",
  ],
  [
    "a write that fails on the channel is no end of what is still to be read",
    "0.0.0.0.0.1.0.0.0.0.2.0/0.0.0.0.0/3.0.2.137.0/7.0.0.0.0/8.0.0.0.0/6.0.0.0.0/2.135.17.0.1/" +
    "9.0.0.0.0",
  ],
];

for (const [what, schedule] of ONCE) {
  Deno.test(`model: ${what}`, async () => {
    const lines: string[] = [];
    const wrong = await replay(parse(schedule), (line) => lines.push(line));
    assert.equal(wrong, undefined, lines.join("\n"));
  });
}

Deno.test("model: streams on carriers do what their model says", async () => {
  const seed = Date.now() % 0x1_0000_0000;
  const { finding, tally } = await campaign({ runs: RUNS, seed, steps: STEPS });
  if (finding !== undefined) assert.fail(`--seed ${seed} --steps ${STEPS}, ${describe(finding)}`);
  for (const what of ["moves completed", "stalls for credit", "streams cut with a carrier"]) {
    assert.ok((tally.counts.get(what) ?? 0) > 0, `it has come to ${what}, --seed ${seed}`);
  }
});

Deno.test("model: a schedule can be written down", () => {
  const schedule = generate(1, 2, STEPS);
  assert.deepEqual(parse(format(schedule)), schedule);
});
