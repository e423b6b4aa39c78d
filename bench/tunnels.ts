/**
 * `deno task bench`: this tunnel against others, all in turns in one run. What it takes is in
 * {@linkcode USAGE}, what is measured in tunnels/catalogue.ts.
 *
 * @module
 */

import { parseArguments, USAGE } from "./tunnels/arguments.ts";
import { readResults } from "./tunnels/file.ts";
import { compare } from "./tunnels/report/compare.ts";
import { startRun } from "./tunnels/start.ts";

/** Carries out what the arguments ask for; resolves with the exit code. */
async function main(): Promise<number> {
  const request = parseArguments(Deno.args);
  switch (request.kind) {
    case "help":
      console.log(USAGE);
      return 0;
    case "usage":
      console.error(`${request.message}\n(deno task bench --help tells more)`);
      return 2;
    case "compare":
      console.log(compare(await readResults(request.old), await readResults(request.now)));
      return 0;
    case "run":
      return await startRun(request);
  }
}

try {
  // Set, not called: what runs yet is given the time to be cleaned up.
  Deno.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
}
