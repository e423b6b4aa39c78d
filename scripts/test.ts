// deno-lint-ignore-file no-console
/**
 * Every test, and a closing line `N passed, N failed`.
 *
 * The tests against the Rust program need it built, which cargo does once, into a cache outside
 * the checkout; without cargo they are skipped, except where CI=true.
 *
 * @module
 */

import { closingLine, countTests } from "./counts.ts";
import { buildPeer, findPeer } from "./peer.ts";

if (await findPeer() === null) {
  try {
    console.log("Building rathole 0.5.0, the Rust program that the tests compare with …");
    await buildPeer();
  } catch (error) {
    if (Deno.env.get("CI") === "true") throw error;
    console.log(`Not built (${error instanceof Error ? error.message : error}).`);
    console.log("The tests against it are skipped.");
  }
}
const counts = await countTests(["--parallel", "--allow-all", "src", "tests"]);
console.log(closingLine(counts));
if (counts.failed > 0 || counts.passed === 0) Deno.exit(1);
