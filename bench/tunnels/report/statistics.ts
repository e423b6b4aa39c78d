/**
 * From the samples of a run: medians, ratios pair by pair, and whether a goal is met.
 *
 * Speed on a machine that does other work as well goes up and down for everybody at once. So
 * subjects are compared within a round, where they stood beside each other, and what is told is the
 * median of these ratios with the lowest and the highest.
 *
 * @module
 */

import type { Figure } from "../catalogue.ts";
import type { Results, Subject } from "../results.ts";

/** What some values came to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many values there were. */
  readonly count: number;
}

/** Fewer rounds than these judge nothing: of n, all agree by chance in one case of 2^(n-1). */
const ENOUGH_ROUNDS = 5;

/** Whether a goal is reached; `none` where there is no goal, or nothing was measured. */
export type Verdict = "met" | "missed" | "none";

/** The samples of a figure and a subject: round → value. What is no number is left out. */
export function valuesOf(
  { samples }: Pick<Results, "samples">,
  figure: string,
  subject: Subject,
): ReadonlyMap<number, number> {
  return new Map(
    samples
      .filter((it) => it.figure === figure && it.subject === subject)
      .filter(({ value }) => Number.isFinite(value))
      .map(({ round, value }) => [round, value]),
  );
}

/** The median, the lowest and the highest; null of nothing. */
export function spreadOf(values: Iterable<number>): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const upper = sorted[sorted.length >> 1] ?? max;
  const lower = sorted[(sorted.length - 1) >> 1] ?? min;
  return { median: (lower + upper) / 2, min, max, count: sorted.length };
}

/** A subject's values over all rounds; null where there are none. */
export function measured(
  results: Pick<Results, "samples">,
  figure: string,
  subject: Subject,
): Spread | null {
  return spreadOf(valuesOf(results, figure, subject).values());
}

/**
 * One subject ÷ another, each pair from the same round; null without a pair. A round in which the
 * divisor is zero or less has no ratio.
 */
export function ratio(
  results: Pick<Results, "samples">,
  figure: string,
  subject: Subject,
  to: Subject = "rathole",
): Spread | null {
  const divisors = valuesOf(results, figure, to);
  const ratios: number[] = [];
  for (const [round, value] of valuesOf(results, figure, subject)) {
    const divisor = divisors.get(round);
    if (divisor !== undefined && divisor > 0) ratios.push(value / divisor);
  }
  return spreadOf(ratios);
}

/**
 * Whether two of ours are where they are to be: against rathole, and in absolute terms. A ratio
 * counts with two digits after the point, as precisely as goals are given: 0.995 reaches ≥ 1, and
 * so does 1.004 ≤ 1. Absolute goals are exact.
 */
export function verdictOf(results: Pick<Results, "samples">, figure: Figure): Verdict {
  return together([
    against(figure, roundedMedian(ratio(results, figure.id, "ours")), figure.goal),
    against(figure, measured(results, figure.id, "ours")?.median, figure.absolute),
  ]);
}

/** The same of two of ours without carriers. */
export function channelsVerdictOf(results: Pick<Results, "samples">, figure: Figure): Verdict {
  return against(figure, roundedMedian(ratio(results, figure.id, "channels")), figure.channels);
}

/** The same of one of ours with rathole at the other end. */
export function mixedVerdictOf(
  results: Pick<Results, "samples">,
  figure: Figure,
  pairings: readonly Subject[] = ["our-server", "our-client"],
): Verdict {
  return together(
    pairings.map((it) =>
      against(figure, roundedMedian(ratio(results, figure.id, it)), figure.mixed)
    ),
  );
}

/** Whether a value reaches a goal, which is an upper bound where less is better. */
function against(
  { better }: Figure,
  value: number | undefined,
  goal: number | undefined,
): Verdict {
  if (value === undefined || goal === undefined) return "none";
  return (better === "higher" ? value >= goal : value <= goal) ? "met" : "missed";
}

/** The median with two digits after the point; a half goes up, also where binary has less of it. */
function roundedMedian(spread: Spread | null): number | undefined {
  if (spread === null) return undefined;
  return Math.round(Number((spread.median * 100).toPrecision(12))) / 100;
}

/** All that is known must be met. */
function together(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("missed")) return "missed";
  return verdicts.includes("met") ? "met" : "none";
}

/** How the ratios of two groups of rounds stand to each other. */
export type Change = "better" | "worse" | "within noise" | "too few rounds";

/** Judges what went from one spread to another: only what no longer overlaps is a change. */
export function changeOf({ better }: Figure, from: Spread, to: Spread): Change {
  if (Math.min(from.count, to.count) < ENOUGH_ROUNDS) return "too few rounds";
  if (from.min <= to.max && to.min <= from.max) return "within noise";
  return (to.min > from.max) === (better === "higher") ? "better" : "worse";
}

/** The same of two subjects of one run, by their ratio: do all rounds agree on which is better? */
export function sideOfOne({ better }: Figure, { count, max, min }: Spread): Change {
  if (count < ENOUGH_ROUNDS) return "too few rounds";
  if (min <= 1 && max >= 1) return "within noise";
  return (min > 1) === (better === "higher") ? "better" : "worse";
}
