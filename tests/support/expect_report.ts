/**
 * What the tests of bad input share.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError, formatProblem } from "../../src/config/problem.ts";

/** What a person sees for a text: errors, and the warnings beside them. */
export function report(text: string): string[] {
  try {
    return parseConfig(text, { file: "f" }).warnings.map(formatProblem);
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    return error.problems.map(formatProblem);
  }
}

/** Texts, and every line of their report. */
export function table(cases: readonly (readonly [text: string, ...lines: string[]])[]): void {
  for (const [text, ...lines] of cases) assert.deepEqual(report(text), lines, text);
}

/** A client in which only what follows can be wrong. */
export const CLIENT = '[client]\nremote_addr = "[::1]:1"\ndefault_token = "t"\nservices = {}\n';
/** A server in which only what follows can be wrong. */
export const SERVER = '[server]\nbind_addr = "[::1]:1"\ndefault_token = "t"\nservices = {}\n';
