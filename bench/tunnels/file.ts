/**
 * Results as a file: a line for each sample, so that a change of the file can be read.
 *
 * @module
 */

import type { Results } from "./results.ts";

/** The text of the file. */
export function serialise({ samples, traces, ...about }: Results): string {
  const head = JSON.stringify(about, null, 1).slice(0, -2);
  const lines = (items: readonly unknown[]) =>
    items.map((item) => `\n  ${JSON.stringify(item)}`).join(",");
  return `${head},\n "samples": [${lines(samples)}\n ],\n "traces": [${lines(traces)}\n ]\n}\n`;
}

/** Reads a file. @throws {Error} when it is not there, or is something else */
export async function readResults(path: string): Promise<Results> {
  let results;
  try {
    results = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`${path} cannot be read: ${why}`, { cause });
  }
  if (results?.format === 1 && Array.isArray(results.samples)) return results;
  throw new Error(`${path} is not what deno task bench writes, or not of this version`);
}
