/**
 * The model test of streams on carriers, at length: a million interleavings by default.
 *
 * Run: `deno task model`; `--runs N`, `--seed S` and `--from N` to repeat a run, `--steps N` for
 * longer ones, `--replay SCHEDULE` for a finding.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { campaign, describe, replay } from "../tests/model/campaign.ts";
import { parse } from "../tests/model/schedule.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    seed: { type: "string" },
    from: { type: "string", default: "0" },
    steps: { type: "string", default: "40" },
    replay: { type: "string" },
  },
});

if (values.replay !== undefined) await again(values.replay);
else await main();

async function main(): Promise<void> {
  const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000);
  const [runs, from, steps] = [values.runs, values.from, values.steps].map(Number);
  if (![seed, runs, from, steps].every(Number.isInteger)) throw new Error("options are numbers");
  console.log(`${values.runs} interleavings of up to ${steps} steps, --seed ${seed}`);
  const start = performance.now();
  let shown = start;
  const rate = (done: number) => Math.round(done / (performance.now() - start) * 1000);
  const { finding, runs: done, tally } = await campaign({
    runs: runs ?? 0,
    seed,
    from: from ?? 0,
    steps: steps ?? 0,
    progress: (done) => {
      if (performance.now() - shown < 10_000) return;
      shown = performance.now();
      console.log(`${done.toLocaleString("en")} interleavings, ${rate(done)}/s`);
    },
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(tally.table());
  console.log(`${done.toLocaleString("en")} interleavings in ${seconds} s, ${rate(done)}/s`);
  if (finding === undefined) return;
  console.log(`\nFOUND with --seed ${seed} --from ${finding.index} --runs 1, ${describe(finding)}`);
  Deno.exit(1);
}

async function again(schedule: string): Promise<void> {
  const wrong = await replay(parse(schedule), console.log);
  console.log(wrong ?? "nothing is wrong");
  if (wrong !== undefined) Deno.exit(1);
}
