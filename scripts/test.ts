/**
 * Every test, and a closing line `N passed, N failed`.
 *
 * The tests against the Rust program need it built, which cargo does once, into a cache outside
 * the checkout; without cargo they are skipped, except where CI=true.
 *
 * @module
 */

import { addCounts, closingLine, countTests } from "./counts.ts";
import { buildPeer, findPeer } from "./peer.ts";

if (await findPeer() === null) {
  try {
    console.log("Building rathole 0.5.0, the Rust program that the tests compare with …");
    await buildPeer();
  } catch (error) {
    console.log(`Not built (${error instanceof Error ? error.message : error}).`);
    console.log("The tests against it are skipped, or fail where CI=true.");
  }
}
/** Unit tests may read, and use this machine's own addresses; what they test asks for no more. */
const unit = ["--allow-read", "--allow-net=127.0.0.1,[::1],localhost", "src", "bench"];
/** The others start programs, with the permissions that each is given by name. */
const wide = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-net",
];
/**
 * These come one after the other, with this machine to themselves: faults count what is held, and
 * the guard of the speed what is used.
 */
const alone = ["tests/faults", "tests/speed"];
const runs = [
  ["--parallel", ...unit],
  ["--parallel", ...wide, `--ignore=${alone.join(",")}`, "tests"],
  [...wide, ...alone],
];
let counts = { passed: 0, failed: 0, skipped: 0 };
for (const run of runs) counts = addCounts(counts, await countTests(run));
console.log(closingLine(counts));
if (counts.failed > 0 || counts.passed === 0) Deno.exit(1);
