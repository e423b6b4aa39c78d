/**
 * What was done, and what went wrong.
 *
 * @module
 */

/** What is counted. */
export type Count =
  | "visitors"
  | "bytes"
  | "datagrams"
  | "datagrams lost"
  | "strangers"
  | "reloads applied"
  | "reloads refused"
  | "clients killed"
  | "clients stopped"
  | "clients restarted"
  | "streams open";

/** Failures that are kept; the rest is only counted. */
const KEPT = 50;

/** Counters, and failures with the time of the run. */
export class Tally {
  readonly counts: Record<Count, number> = {
    "visitors": 0,
    "bytes": 0,
    "datagrams": 0,
    "datagrams lost": 0,
    "strangers": 0,
    "reloads applied": 0,
    "reloads refused": 0,
    "clients killed": 0,
    "clients stopped": 0,
    "clients restarted": 0,
    "streams open": 0,
  };
  /** The first of them. */
  readonly failures: string[] = [];
  /** How many there were. */
  failed = 0;
  readonly #start = performance.now();

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Counts. */
  add(what: Count, by = 1): void {
    this.counts[what] += by;
  }

  /** Notes what should not have happened. */
  fail(what: string, error?: unknown): void {
    this.failed++;
    if (this.failures.length >= KEPT) return;
    const why = error instanceof Error ? error.message : error;
    const text = why === undefined ? what : `${what}: ${why}`;
    this.failures.push(`${this.seconds.toFixed(1)} s: ${text}`);
  }

  /** Does something that must succeed; whether it did. */
  async must(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.fail(what, error);
      return false;
    }
  }
}
