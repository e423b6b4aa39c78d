/**
 * Everything once: the tests, what `deno task ok` checks besides, the documentation's code, the
 * documentation itself, and whether the package could be published. Each step counts as one.
 *
 * @module
 */

import { addCounts, closingLine, type Counts, countTests } from "./counts.ts";
import { root } from "./project.ts";

/** Steps that pass or fail as a whole. */
const STEPS: readonly (readonly string[])[] = [
  ["fmt", "--check", "--quiet"],
  ["lint", "--quiet"],
  ["task", "check"],
  ["task", "layers"],
  ["task", "schema:check"],
  ["doc", "--lint", "mod.ts"],
  ["publish", "--dry-run", "--allow-dirty"],
  ["task", "demo", "--once"],
];

let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
await runTests();
for (const step of STEPS) await runStep(step);
counts = addCounts(
  counts,
  await countTests(["--doc", "--quiet", "--allow-net=127.0.0.1", "mod.ts", "README.md"]),
);
console.log(closingLine(counts));
if (counts.failed > 0 || counts.passed === 0) Deno.exit(1);

/** Runs README's test command and takes over the counts of its closing line. */
async function runTests(): Promise<void> {
  const output = await runShown(["task", "test"]);
  const line = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(output.text);
  const [passed = 0, failed = 0, skipped = 0] = (line?.slice(1) ?? []).map((n) => Number(n ?? 0));
  counts = { passed, failed: output.success ? failed : Math.max(1, failed), skipped };
}

async function runStep(args: readonly string[]): Promise<void> {
  const { success } = await runShown(args);
  console.log(`${success ? "ok" : "FAILED"}: deno ${args.join(" ")}`);
  counts = addCounts(counts, { passed: success ? 1 : 0, failed: success ? 0 : 1, skipped: 0 });
}

/** Runs a Deno command, shows its output as it comes, and returns it. */
async function runShown(args: readonly string[]): Promise<{ success: boolean; text: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  return { success, text };
}
