/**
 * From results to `docs/benchmark.md` and its pictures; or to tables in a terminal.
 *
 * @module
 */

import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../scripts/project.ts";
import { rewritePage } from "./report/page.ts";
import { PICTURE_NAMES, picturesOf } from "./report/pictures.ts";
import { joinRuns } from "./report/runs.ts";
import { summarise } from "./report/table.ts";
import { readResults } from "./file.ts";
import type { Results } from "./results.ts";

const USAGE = `Usage: deno task bench:report FILE…
       deno task bench:report --print FILE…

Writes the tables of docs/benchmark.md and its pictures from results, which must be in this
checkout. Several files are put together, each with rounds of its own.

  --print   show what deno task bench prints, instead`;

const PAGE = resolve(root, "docs/benchmark.md");

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}

async function main(): Promise<void> {
  const { positionals: files, values } = parseArgs({
    allowPositionals: true,
    options: {
      print: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || files.length === 0) {
    console.error(USAGE);
    Deno.exit(values.help ? 0 : 2);
  }
  const results = joinRuns(await Promise.all(files.map(readResults)));
  if (values.print) console.log(summarise(results));
  else await publish(results, files.map(nameInProject));
}

/** Writes the page and the pictures, and removes those that the run has nothing for. */
async function publish(results: Results, sources: readonly string[]): Promise<void> {
  const page = rewritePage(await Deno.readTextFile(PAGE), results, sources);
  const { drawSvg } = await import("../../scripts/plot.ts");
  const pictures = picturesOf(results);
  const drawn: string[] = [];
  for (const name of PICTURE_NAMES) {
    const file = resolve(root, `docs/img/${name}.svg`);
    const picture = pictures.get(name);
    if (picture === undefined) await Deno.remove(file).catch(ignoreMissing);
    else {
      await Deno.writeTextFile(file, await drawSvg(picture));
      drawn.push(file);
    }
  }
  await Deno.writeTextFile(PAGE, page);
  // Lines of thousands of characters are read by nobody, and `deno fmt --check` looks at them.
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", PAGE, ...drawn],
    cwd: root,
  }).spawn().status;
  if (!success) throw new Error("deno fmt has failed");
}

/** What the page calls a file, so that it can be found in every checkout. */
function nameInProject(file: string): string {
  const name = relative(root, resolve(file)).replaceAll("\\", "/");
  if (name.startsWith("../") || /\s/.test(name)) {
    throw new Error(`${file}: the page can only name files of this checkout, without spaces`);
  }
  return name;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
