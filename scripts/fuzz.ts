/**
 * Fuzzing: mutated inputs for every parser and for whole connections, and what is new in them kept
 * under tests/testdata/fuzz.
 *
 * Run: `deno task fuzz --minutes 10`; `--target NAME,NAME` for some targets only, `--seed S` to
 * repeat a run, `--replay FILE` for a finding, `--no-save` to leave the corpus as it is.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { Tally } from "../tests/fuzz/engine/campaign.ts";
import { parseInput } from "../tests/fuzz/engine/corpus.ts";
import { runFuzz } from "../tests/fuzz/run.ts";
import { TARGETS } from "../tests/fuzz/targets.ts";

const USAGE = `Usage: deno task fuzz [OPTIONS]

  --minutes N       how long, for all targets together (1)
  --target A,B      these only
  --seed S          repeat a run
  --replay FILE     run a finding
  --no-save         leave the corpus as it is

Targets: ${[...TARGETS.keys()].join(", ")}`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    target: { type: "string" },
    seed: { type: "string" },
    replay: { type: "string" },
    "no-save": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const targets = values.target?.split(",") ?? [...TARGETS.keys()];
const unknown = targets.filter((name) => !TARGETS.has(name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`there is no target ${unknown.join(", ")}\n`);
  console.log(USAGE);
  Deno.exit(values.help ? 0 : 2);
}
if (values.replay !== undefined) await replay(values.replay, targets);
else await fuzz();

async function fuzz(): Promise<void> {
  const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000);
  const seconds = Number(values.minutes) * 60;
  if (!(seconds > 0) || !Number.isInteger(seed)) {
    throw new Error("--minutes and --seed are numbers");
  }
  console.log(`Fuzzing ${targets.length} targets for ${values.minutes} min, --seed ${seed}`);
  const save = !values["no-save"];
  const { tallies, findings } = await runFuzz({ targets, seed, seconds, save }, (finding) => {
    console.log(`FOUND in ${finding.target}: ${finding.what}\n  in ${finding.path}`);
  });
  console.log(table(tallies));
  const inputs = tallies.reduce((sum, tally) => sum + tally.inputs, 0);
  console.log(`${inputs.toLocaleString("en")} inputs, ${findings.length} findings`);
  if (findings.length > 0) Deno.exit(1);
}

/** Runs the input of a file that names its target; what it throws is shown. */
async function replay(path: string, names: readonly string[]): Promise<void> {
  const name = names.length === 1 ? names[0] : /([\w-]+)-[\da-f]{12}\.txt$/.exec(path)?.[1];
  const target = await TARGETS.get(name ?? "")?.();
  if (target === undefined) throw new Error("name the target: --target NAME");
  const lines = (await Deno.readTextFile(path)).split("\n");
  for (const line of lines.filter((line) => line !== "" && !line.startsWith("#"))) {
    console.log(await target.run(parseInput(line.replace(/^! */, ""))));
  }
  await target.check?.();
  await target.stop?.();
}

function table(tallies: readonly Tally[]): string {
  const head = ["target", "inputs", "inputs/s", "shapes", "text run", "corpus", "findings"];
  const rows = tallies.map((tally) => [
    tally.target,
    tally.inputs.toLocaleString("en"),
    Math.round(tally.inputs / Math.max(tally.seconds, 0.001)).toLocaleString("en"),
    `${tally.shapes}`,
    `${tally.covered}`,
    `${tally.kept}`,
    `${tally.findings}`,
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0))
  );
  return [head, ...rows].map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))
      .join("  ")
  ).join("\n");
}
