/**
 * How often things have happened, so that one sees which states are reached.
 *
 * @module
 */

/** Counts by name. */
export class Tally {
  readonly counts: Map<string, number> = new Map();

  /** It has happened, or so often. */
  count(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  /** A table, in alphabetical order. */
  table(): string {
    const rows = [...this.counts].sort(([a], [b]) => a < b ? -1 : 1);
    const cells = rows.map(([what, times]) => [what, times.toLocaleString("en")] as const);
    const [left, right] = [0, 1].map((i) =>
      Math.max(0, ...cells.map((row) => row[i]?.length ?? 0))
    );
    return cells.map(([what, times]) => `${what.padEnd(left ?? 0)}  ${times.padStart(right ?? 0)}`)
      .join("\n");
  }
}
