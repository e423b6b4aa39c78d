/**
 * Runs of schedules, one or a million.
 *
 * @module
 */

import fc from "fast-check";
import { perform } from "./actions.ts";
import { finish } from "./finish.ts";
import { format, generate, type Schedule, schedules } from "./schedule.ts";
import { WatchedStore } from "./store.ts";
import { Tally } from "./tally.ts";
import { turn, World } from "./world.ts";

/** Milliseconds that a shrinker may take. */
const PATIENCE = 30_000;

/** A campaign. */
export interface CampaignOptions {
  /** How many runs. */
  readonly runs: number;
  /** What they depend on. */
  readonly seed: number;
  /** The run to begin with. */
  readonly from?: number;
  /** Steps of a run, at most. */
  readonly steps: number;
  /** Hears of progress now and then. */
  readonly progress?: (runs: number, tally: Tally) => void;
}

/** What was found. */
export interface Finding {
  /** The run. */
  readonly index: number;
  readonly what: string;
  /** The run's schedule, as small as it gets, and what is wrong with that. */
  readonly small: Schedule;
  readonly smallWhat: string;
  /** fast-check's path to it, from the run's own. */
  readonly path: string;
  /** What happens in it. */
  readonly trace: readonly string[];
}

/** How a campaign went. */
export interface Outcome {
  readonly runs: number;
  readonly tally: Tally;
  readonly finding: Finding | undefined;
}

const store = new WatchedStore();
let current: World | undefined;

/** Runs schedules until one fails. */
export async function campaign(options: CampaignOptions): Promise<Outcome> {
  const { from = 0, progress, runs, seed, steps } = options;
  const tally = new Tally();
  addEventListener("unhandledrejection", onUnhandled);
  try {
    for (let run = 0; run < runs; run++) {
      const index = from + run;
      const schedule = generate(seed, index, steps);
      const what = await judge(schedule, tally);
      if (what !== undefined) {
        return { runs: run + 1, tally, finding: await shrink(index, schedule, what) };
      }
      if (run % 256 === 255) progress?.(run + 1, tally);
    }
    return { runs, tally, finding: undefined };
  } finally {
    removeEventListener("unhandledrejection", onUnhandled);
  }
}

/** Runs one schedule; what is wrong, if anything. Each line of what happens goes to `trace`. */
export async function replay(
  schedule: Schedule,
  trace: (line: string) => void,
): Promise<string | undefined> {
  addEventListener("unhandledrejection", onUnhandled);
  try {
    return await judge(schedule, new Tally(), trace);
  } finally {
    removeEventListener("unhandledrejection", onUnhandled);
  }
}

/** Words for people. */
export function describe({ index, path, small, smallWhat, trace, what }: Finding): string {
  return `run ${index}: ${what}
shrunk (fast-check's path ${path}): ${smallWhat}
${trace.map((line) => `  ${line}`).join("\n")}
again: deno task model --replay ${format(small)}`;
}

async function judge(
  schedule: Schedule,
  tally: Tally,
  trace?: (line: string) => void,
): Promise<string | undefined> {
  const world = new World(schedule.setup, { buffers: store, tally, trace });
  current = world;
  store.violate = (what) => world.violate(what);
  tally.count("steps", schedule.steps.length);
  try {
    await run(world, schedule);
  } catch (error) {
    world.violate(error instanceof Error ? `${error.stack}` : String(error));
  }
  if (world.violation === undefined) { for (const wire of world.wires) wire.free(); }
  else abandon(world);
  // For rejections that nobody handles.
  await turn();
  return world.violation;
}

async function run(world: World, { steps }: Schedule): Promise<void> {
  for (const step of steps) {
    perform(world, step);
    const turns = step[4];
    if (turns === 0) await world.settle();
    else if (turns === 1) await world.breathe();
    if (world.violation !== undefined) return;
  }
  await finish(world);
}

/** Ends what has gone wrong, so that it does not meddle with the next run. */
function abandon(world: World): void {
  for (const { carrier } of world.carriers) carrier.abort(new Error("the run has failed"));
  for (const { reader, stream, writer } of world.ends()) {
    if (reader !== undefined || writer !== undefined) stream?.abort();
  }
}

function onUnhandled(event: PromiseRejectionEvent): void {
  event.preventDefault();
  current?.violate(`nobody handles a rejection: ${event.reason}`);
}

/** What is wrong, without the numbers. */
function kindOf(what: string): string {
  return what.replaceAll(/\d+/g, "0");
}

/** Has fast-check make a failing schedule small. */
async function shrink(index: number, schedule: Schedule, what: string): Promise<Finding> {
  const property = fc.asyncProperty(schedules, async (candidate) => {
    const wrong = await judge(candidate, new Tally());
    // Not on to something else that is wrong.
    if (wrong !== undefined && kindOf(wrong) === kindOf(what)) throw new Error(wrong);
  });
  const details = await fc.check(property, {
    examples: [[schedule]],
    numRuns: 1,
    interruptAfterTimeLimit: PATIENCE,
    skipAllAfterTimeLimit: PATIENCE,
    markInterruptAsFailure: true,
  });
  const small = details.counterexample?.[0] ?? schedule;
  const trace: string[] = [];
  const smallWhat = await judge(small, new Tally(), (line) => trace.push(line));
  return {
    index,
    what,
    small,
    smallWhat: smallWhat ?? "not again",
    path: details.counterexamplePath ?? "",
    trace,
  };
}
