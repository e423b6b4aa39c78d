/**
 * Running test files and counting what ran, from the report that `deno test` writes.
 *
 * @module
 */

import { root } from "./project.ts";

/** What a run of tests came to. */
export interface Counts {
  /** Tests that passed. */
  passed: number;
  /** Tests that failed, and a runner that ended badly without saying which. */
  failed: number;
  /** Tests that were left out. */
  skipped: number;
}

/** Runs `deno test` with these arguments, its output shown, and counts. */
export async function countTests(args: readonly string[]): Promise<Counts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", `--junit-path=${report}`, ...args],
      cwd: root,
      stdin: "null",
    }).spawn().status;
    const counts = readReport(await Deno.readTextFile(report));
    // A module that does not load, or a leak outside of any test, is in no count.
    if (!success && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    await Deno.remove(report);
  }
}

/** Adds up. */
export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The closing line: `N passed, N failed`, and what was skipped if anything was. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** The counts in a JUnit report's head. */
export function readReport(xml: string): Counts {
  const head = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const read = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = read("failures") + read("errors");
  const skipped = xml.match(/<skipped\b/g)?.length ?? 0;
  return { passed: read("tests") - failed - skipped, failed, skipped };
}
