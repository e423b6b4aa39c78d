/**
 * Workers that pause together, so that what is measured then is what stays.
 *
 * @module
 */

import { pause, soon } from "../support/patience.ts";

/** The longest that one turn of a worker may take. */
const LONGEST_TURN = 90_000;

/** Lets workers take turns while it is open. */
export class Gate implements AsyncDisposable {
  readonly #workers = new Set<Promise<void>>();
  #inside = 0;
  #state: "open" | "closed" | "over" = "open";
  #changed = Promise.withResolvers<void>();

  /** Does something again and again, with a pause after each turn, until the end. */
  repeat(turn: () => Promise<void>, pauseMs: () => number): void {
    const work = (async () => {
      while (await this.#enter()) {
        await turn().finally(() => this.#leave());
        await this.sleep(pauseMs());
      }
    })();
    this.#workers.add(work);
  }

  /** Whether the end has come. */
  get over(): boolean {
    return this.#state === "over";
  }

  /** Lets no more turns begin; resolves when those under way are done. */
  async close(): Promise<void> {
    this.#become("closed");
    await this.#untilEmpty();
  }

  /** Lets turns begin again. */
  open(): void {
    this.#become("open");
  }

  /** Ends everything; resolves when all workers have. */
  async end(): Promise<void> {
    this.#become("over");
    await soon("all workers to end", Promise.all(this.#workers), LONGEST_TURN);
  }

  /** Lets time pass, or the end come. */
  async sleep(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.over && performance.now() < end) {
      await pause(Math.max(1, Math.min(100, end - performance.now())));
    }
  }

  /** The same. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #enter(): Promise<boolean> {
    while (this.#state === "closed") await this.#changed.promise;
    if (this.over) return false;
    this.#inside++;
    return true;
  }

  #leave(): void {
    this.#inside--;
    this.#tell();
  }

  #become(state: "open" | "closed" | "over"): void {
    if (this.over) return;
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async #untilEmpty(): Promise<void> {
    const empty = async () => {
      while (this.#inside > 0) await this.#changed.promise;
    };
    await soon("workers to pause", empty(), LONGEST_TURN);
  }
}
