/**
 * The thread that fuzzes; another one watches it.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { Campaign, type Tally } from "./engine/campaign.ts";
import { Coverage } from "./engine/coverage.ts";
import { Executor } from "./engine/executor.ts";
import { Progress } from "./engine/progress.ts";
import { TARGETS } from "./targets.ts";

/** What is to be done. */
export interface Order {
  readonly memory: SharedArrayBuffer;
  readonly targets: readonly string[];
  readonly seed: number;
  readonly seconds: number;
  /** Whether what is kept is written to the corpus. */
  readonly save: boolean;
}

/** What the thread says. */
export type Word =
  /** An order that came before was lost. */
  | { readonly kind: "ready" }
  | {
    readonly kind: "finding";
    readonly target: string;
    readonly what: string;
    readonly path: string;
  }
  | { readonly kind: "over"; readonly tallies: readonly Tally[] }
  | { readonly kind: "failed"; readonly what: string };

/** Milliseconds that a target has before it is another one's turn. */
const LONGEST_TURN = 5_000;
const SHORTEST_TURN = 250;
/** Turns that each target has at least, where there is time. */
const TURNS = 3;

function say(word: Word): void {
  globalThis.postMessage(word);
}

async function fuzz({ memory, targets, seed, seconds, save }: Order): Promise<Tally[]> {
  const end = performance.now() + seconds * 1000;
  const progress = new Progress(memory);
  const coverage = new Coverage();
  const campaigns: Campaign[] = [];
  let current: Campaign | undefined;
  // Errors are many here, and their stacks would be most of the time; a finding gets its own.
  Error.stackTraceLimit = 0;
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    void current?.executor.blame(new Error("unhandled rejection", { cause: event.reason }));
  });
  await coverage.start();
  for (const [index, name] of targets.entries()) {
    progress.enter(index);
    const make = TARGETS.get(name);
    if (make === undefined) throw new Error(`there is no target ${name}`);
    const target = await make();
    const executor = new Executor(
      target,
      progress,
      (target, what, path) => say({ kind: "finding", target, what, path }),
    );
    campaigns.push(current = new Campaign(target, seed, coverage, executor));
    await current.replay();
  }
  const turn = (end - performance.now()) / campaigns.length / TURNS;
  const ms = Math.max(SHORTEST_TURN, Math.min(LONGEST_TURN, turn));
  while (performance.now() < end) {
    for (const [index, campaign] of campaigns.entries()) {
      if (performance.now() >= end) break;
      progress.enter(index);
      current = campaign;
      await campaign.fuzz(ms);
    }
  }
  for (const campaign of campaigns) {
    current = campaign;
    await campaign.stop();
    if (save) await campaign.save();
  }
  return campaigns.map(({ tally }) => tally);
}

globalThis.addEventListener("message", async ({ data }: MessageEvent<Order>) => {
  try {
    say({ kind: "over", tallies: await fuzz(data) });
  } catch (error) {
    say({ kind: "failed", what: error instanceof Error ? `${error.stack}` : Deno.inspect(error) });
  }
});
say({ kind: "ready" });
