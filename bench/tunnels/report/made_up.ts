/**
 * Made-up results, for tests alone: nobody measured any of this.
 *
 * @module
 */

import { FIGURES } from "../catalogue.ts";
import type { Results, Sample, Subject } from "../results.ts";

/** Results in which each subject has these values of each figure, round by round. */
export function madeUp(
  values: Readonly<Record<string, Readonly<Partial<Record<Subject, readonly number[]>>>>>,
  others: Partial<Results> = {},
): Results {
  const samples = Object.entries(values).flatMap(([figure, subjects]) =>
    Object.entries(subjects).flatMap(([subject, rounds]) =>
      rounds.map((value, round) => ({ figure, subject, round, value }) as Sample)
    )
  );
  return {
    format: 1,
    started: "2001-02-03T04:05:06.789Z",
    minutes: 41.6,
    machine: { cpu: "Made-up CPU", cores: 2, memory: 7.75, kernel: "Linux 0.0" },
    versions: { "rathole": "0.5.0", "rathole for Deno": "abcdef0+", "frp": "0.0.1" },
    rounds: Math.max(0, ...samples.map(({ round }) => round + 1)),
    seconds: 5,
    load: 0.123,
    traces: [],
    ...others,
    samples,
  };
}

/** Results with some value of every figure for every subject, and traces. */
export function madeUpWhole(subjects: readonly Subject[]): Results {
  const values = FIGURES.map(({ id, unit }, n) => {
    const base = ({ "req/s": 18_000, "Mbit/s": 550, "Gbit/s": 9 })[unit] ?? 2 + n * 3.7;
    return [
      id,
      Object.fromEntries(subjects.map((it, i) => [
        it,
        [1, 0.9, 1.15].map((noise) => base * noise * (1 + ((n * 7 + i * 5) % 11) / 6)),
      ])),
    ];
  });
  const traces = subjects.map((subject, i) => ({
    subject,
    points: Array.from(
      { length: 120 },
      (_, t) => [t, (i + 1) * (20 + (t % 40 > 10 ? 30 : 0)) + (t % 3)] as const,
    ),
  }));
  return madeUp(Object.fromEntries(values), { traces });
}
