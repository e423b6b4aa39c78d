/**
 * Statistics that a few wild values do not move.
 *
 * @module
 */

/** A measurement at some time. */
export type Point = readonly [time: number, value: number];

/** The value in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * The Theil–Sen slope: the median of the slopes between all pairs of points. Up to 29 % of the
 * points may be anywhere without moving it far. 0 of fewer than two.
 */
export function slope(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [i, [t1, v1]] of points.entries()) {
    for (const [t2, v2] of points.slice(i + 1)) {
      if (t2 !== t1) slopes.push((v2 - v1) / (t2 - t1));
    }
  }
  return slopes.length === 0 ? 0 : median(slopes);
}
