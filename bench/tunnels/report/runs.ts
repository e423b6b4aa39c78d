/**
 * Several runs put together.
 *
 * @module
 */

import type { Results } from "../results.ts";

/**
 * Several runs as one, each with rounds of its own. The first says when and how; who measured other
 * programs, on another machine, or for another time, cannot be put together; nor can a run with itself.
 */
export function joinRuns([first, ...others]: readonly Results[]): Results {
  if (first === undefined) throw new Error("no results");
  const seen = new Set([first.started]);
  for (const { started } of others) {
    if (seen.has(started)) throw new Error(`the run of ${started} was named more than once`);
    seen.add(started);
  }
  return others.reduce((all, next) => {
    for (const what of ["machine", "seconds"] as const) {
      if (JSON.stringify(all[what]) !== JSON.stringify(next[what])) {
        throw new Error(`the runs of ${all.started} and ${next.started} differ in ${what}`);
      }
    }
    for (const [program, version] of Object.entries(next.versions)) {
      const before = all.versions[program] ?? version;
      if (before === version) continue;
      const runs = `the runs of ${all.started} and ${next.started}`;
      throw new Error(`${runs} differ in ${program}: ${before} and ${version}`);
    }
    return {
      ...all,
      minutes: all.minutes + next.minutes,
      versions: { ...next.versions, ...all.versions },
      rounds: all.rounds + next.rounds,
      load: Math.max(all.load, next.load),
      samples: [
        ...all.samples,
        ...next.samples.map((sample) => ({ ...sample, round: sample.round + all.rounds })),
      ],
      traces: next.traces.length > 0 ? next.traces : all.traces,
    };
  }, first);
}
