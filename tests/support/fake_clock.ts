/**
 * Time that stands still until a test moves it.
 *
 * @module
 */

import type { Clock, Deadline } from "../../src/runtime/clock.ts";
import { turn } from "./turns.ts";

interface Entry {
  readonly due: number;
  readonly expire: () => void;
}

/** A {@linkcode Clock} that a test advances. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #entries = new Set<Entry>();

  /** Deadlines that are armed. What is left over at the end of a test was leaked. */
  get pending(): number {
    return this.#entries.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, expire: () => void): Deadline {
    const entry: Entry = { due: this.#now + Math.max(0, ms), expire };
    this.#entries.add(entry);
    const cancel = () => void this.#entries.delete(entry);
    return { cancel, [Symbol.dispose]: cancel };
  }

  /** Moves time, firing what becomes due in its order, without letting anything else happen. */
  tick(ms: number): void {
    const end = this.#now + ms;
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** Moves time, and lets the event loop run before, between and after what becomes due. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turn();
    while (this.#fireNext(end)) await turn();
    this.#now = end;
    await turn();
  }

  #fireNext(end: number): boolean {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.due <= end && (next === undefined || entry.due < next.due)) next = entry;
    }
    if (next === undefined) return false;
    this.#entries.delete(next);
    this.#now = Math.max(this.#now, next.due);
    next.expire();
    return true;
  }
}
