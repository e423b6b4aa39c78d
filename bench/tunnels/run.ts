/**
 * A run: rounds in which every subject has its turn.
 *
 * @module
 */

import { FIGURES } from "./catalogue.ts";
import type { Bench } from "./context.ts";
import type { Values } from "./loads.ts";
import { factsOf, versionsOf } from "./machine.ts";
import { isTraced, orderOf, type Plan } from "./plan.ts";
import { type Listener, measureSubject } from "./round.ts";
import type { Results, Sample, Subject, Trace } from "./results.ts";
import { trace } from "./trace.ts";

/** How a run is followed. */
export interface Follower {
  /** A line for somebody who waits. */
  progress(line: string): void;
  /** What there is after each round that is complete. */
  save(results: Results): Promise<void>;
}

/** How a run ended. */
export interface Outcome {
  readonly results: Results;
  /** Of each value that is missing, what it is. */
  readonly missing: readonly string[];
}

/** Carries out a plan. */
export async function run(bench: Bench, plan: Plan, follower: Follower): Promise<Outcome> {
  const began = Date.now();
  const [load = 0] = Deno.loadavg();
  const about = {
    format: 1,
    started: new Date(began).toISOString(),
    machine: await factsOf(bench.processes),
    versions: await versionsOf(bench, plan.subjects),
    seconds: plan.seconds,
    load: Math.round(load * 100) / 100,
  } as const;
  const samples: Sample[] = [];
  const traces: Trace[] = [];
  const missing: string[] = [];
  const results = (rounds: number): Results => ({
    ...about,
    rounds,
    minutes: Math.round((Date.now() - began) / 6000) / 10,
    samples: [...samples],
    traces: [...traces],
  });
  for (let round = 0; round < plan.rounds; round++) {
    const turn = `round ${round + 1}/${plan.rounds}`;
    const listener: Listener = {
      again: (what, error) =>
        follower.progress(`${turn}  ${what} failed, once more: ${why(error)}`),
      missing: (what, error) => {
        follower.progress(`${turn}  ${what} failed again, and is missing: ${why(error)}`);
        missing.push(`${what} in round ${round + 1}`);
      },
    };
    for (const subject of orderOf(plan.subjects, round)) {
      const values = await measureSubject(bench, plan, subject, listener);
      samples.push(...samplesOf(values, subject, round));
      follower.progress(`${turn}  ${subject.padEnd(10)}  ${brief(values)}`);
    }
    if (round === plan.rounds - 1) {
      for (const subject of plan.subjects.filter((subject) => isTraced(plan, subject))) {
        try {
          traces.push(await trace(bench, subject));
        } catch (error) {
          bench.signal.throwIfAborted();
          listener.missing(`${subject}: memory over time`, error);
        }
      }
    }
    await follower.save(results(round + 1));
  }
  return { results: results(plan.rounds), missing };
}

function samplesOf(values: Values, subject: Subject, round: number): Sample[] {
  return FIGURES.flatMap(({ id }) => {
    const value = values[id];
    return value === undefined ? [] : [{ figure: id, subject, round, value: rounded(value) }];
  });
}

/** The values for which there is a goal, or where there are none all of them. */
function brief(values: Values): string {
  const told = FIGURES.filter(({ id }) => values[id] !== undefined);
  const main = told.filter(({ absolute, goal }) => goal !== undefined || absolute !== undefined);
  return (main.length === 0 ? told : main)
    .map(({ id, unit }) => `${id} ${short(values[id] ?? 0)} ${unit}`).join(", ");
}

function short(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k` : `${Number(value.toPrecision(3))}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function why(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}
