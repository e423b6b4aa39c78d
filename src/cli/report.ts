/**
 * A failure as lines for the person who ran the program.
 *
 * @module
 */

import { ConfigError, formatProblem } from "../config/problem.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import { parseLogFilter } from "./log_filter.ts";

/**
 * What to print. Mistakes and failures of the outside give a sentence; only for an error that the
 * program did not foresee, and only when RUST_LOG asks for debug or trace, the stack follows.
 */
export function describeFailure(error: unknown, rustLog: string | undefined): string[] {
  if (error instanceof ConfigError) return describeProblems(error);
  if (error instanceof RatholeError) return [`rathole: ${explain(error)}`];
  if (error instanceof Deno.errors.NotCapable) {
    return [`rathole: the Deno sandbox does not allow it: ${error.message}`];
  }
  const line = `rathole: internal error, please report it: ${explain(error)}`;
  const { verbosest } = parseLogFilter(rustLog).filter;
  if (verbosest !== "debug" && verbosest !== "trace") {
    return [`${line} (RUST_LOG=debug shows where it happened)`];
  }
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return [line, ...stack.split("\n").filter((frame) => frame.trim() !== "")];
}

function describeProblems(error: ConfigError): string[] {
  return [...error.problems.map(formatProblem), `rathole: ${summary(error)}, nothing was started`];
}

/** How many errors there are, as the beginning of a sentence. */
export function summary({ problems }: ConfigError): string {
  const count = problems.filter(({ severity }) => severity === "error").length;
  return `the configuration has ${count === 1 ? "an error" : `${count} errors`}`;
}
