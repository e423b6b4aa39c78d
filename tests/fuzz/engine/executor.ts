/**
 * Gives a target its inputs, and takes down what must not have come of them.
 *
 * @module
 */

import { startCounting, stopCounting } from "./allocation.ts";
import { saveCrash } from "./corpus.ts";
import { minimise } from "./minimise.ts";
import type { Progress } from "./progress.ts";
import { must, type Target } from "./target.ts";

/** Milliseconds that one input may take: a thousand times what it does take. */
const LONGEST_RUN = 5_000;
/** Different findings of a target, after which further ones are only counted. */
const MOST_FINDINGS = 5;
/** Of so many inputs, one has its allocations counted. */
const COUNTED = 16;

/** An input that nothing comes of. */
class Endless extends Error {}

/** Tells of a finding: what happened, and the file that has the input. */
export type Report = (target: string, what: string, path: string) => void;

/** See the module. */
export class Executor {
  /** Inputs tried. */
  inputs = 0;
  /** Different ways in which one failed. */
  findings = 0;
  readonly #target: Target;
  readonly #progress: Progress;
  readonly #report: Report;
  readonly #seen = new Set<string>();
  #last: Uint8Array = new Uint8Array(0);

  constructor(target: Target, progress: Progress, report: Report) {
    this.#target = target;
    this.#progress = progress;
    this.#report = report;
  }

  /** Runs one after the other, or as many at once as the target takes. */
  async runAll(inputs: readonly Uint8Array[]): Promise<(string | undefined)[]> {
    const shapes: (string | undefined)[] = [];
    const { parallel } = this.#target;
    if (parallel !== undefined) {
      for (let at = 0; at < inputs.length; at += parallel) {
        const group = inputs.slice(at, at + parallel);
        shapes.push(...await Promise.all(group.map((input) => this.run(input))));
      }
      return shapes;
    }
    for (const input of inputs) {
      const shape = this.#start(input);
      // Most targets need not wait, and a turn of the queue for each would be most of their time.
      shapes.push(typeof shape === "object" ? await shape : shape);
    }
    return shapes;
  }

  /** Runs an input; undefined where it is a finding. */
  async run(input: Uint8Array): Promise<string | undefined> {
    return await this.#start(input);
  }

  /** An error that no input can be blamed for, or only the last one. */
  async blame(error: unknown): Promise<void> {
    await this.#found(this.#last, error);
  }

  #start(input: Uint8Array): Promise<string | undefined> | string | undefined {
    this.#last = input;
    this.inputs++;
    this.#progress.begin(input);
    try {
      const outcome = this.#attempt(input);
      if (typeof outcome === "string") return outcome;
      return this.#wait(input, outcome);
    } catch (error) {
      return this.#found(input, error);
    } finally {
      this.#progress.end();
    }
  }

  #attempt(input: Uint8Array): string | Promise<string> {
    const { allowance } = this.#target;
    if (allowance === undefined || this.inputs % COUNTED !== 0) return this.#target.run(input);
    startCounting();
    try {
      return this.#target.run(input);
    } finally {
      const bytes = stopCounting();
      must(bytes <= allowance(input), `asked for ${bytes} bytes for an input of ${input.length}`);
    }
  }

  async #wait(input: Uint8Array, outcome: Promise<string>): Promise<string | undefined> {
    try {
      return await inTime(outcome);
    } catch (error) {
      return await this.#found(input, error);
    }
  }

  async #found(input: Uint8Array, error: unknown): Promise<undefined> {
    const sign = signOf(error);
    if (this.#seen.has(sign)) return;
    this.#seen.add(sign);
    this.findings++;
    if (this.findings > MOST_FINDINGS) return;
    const smallest = error instanceof Endless || this.#target.parallel !== undefined
      ? input
      : await minimise(input, async (smaller) => signOf(await this.#failure(smaller)) === sign);
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 30;
    const again = error instanceof Endless ? undefined : await this.#failure(smallest);
    const what = describe(again ?? error);
    Error.stackTraceLimit = stackTraceLimit;
    const path = await saveCrash(this.#target.name, smallest, what);
    this.#report(this.#target.name, what, path);
  }

  /** What an input throws; undefined for nothing, or for nothing this time. */
  async #failure(input: Uint8Array): Promise<unknown> {
    try {
      await this.#target.run(input);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

/** What a run comes to, which must be before long. */
async function inTime(outcome: string | Promise<string>): Promise<string> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = new Endless(`no end after ${LONGEST_RUN} ms`);
  const timer = setTimeout(() => reject(why), LONGEST_RUN);
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${Deno.inspect(error)}`;
  const cause = error.cause === undefined ? "" : `\nbecause of ${describe(error.cause)}`;
  return `${error.stack ?? error}${cause}`;
}

/** What makes two failures the same: the first line without its numbers and quotations. */
function signOf(error: unknown): string {
  const [line = ""] = describe(error).split("\n");
  return line.replaceAll(/"[^"]*"|[\da-f]{2,}|\d/g, "#").slice(0, 100);
}
