/**
 * Noticing that files may have changed, however they are changed.
 *
 * @module
 */

import type { Clock } from "./runtime/clock.ts";

/** Milliseconds between two looks at what the system says of the files. */
const POLL_MS = 1000;
/** After so many looks that showed nothing, what the files say is to be read all the same. */
const PATIENCE = 5;

/** What is known of a file that is not there, or that the sandbox or the system does not show. */
const UNSEEN = "";

/** What to watch with. */
export interface WatchOptions {
  /** Times the looks. */
  readonly clock: Clock;
  /** Milliseconds between two looks; 1,000 unless told. */
  readonly poll?: number;
}

/**
 * Says when files may have changed; what has changed, the reader finds out. Hints are never queued:
 * however many come while nobody waits, they are one.
 *
 * Which file it is (device and inode, links followed), its size and its times are looked at once a
 * second, which costs some 0.01 % of a core. That sees whatever way a file is changed, on every file
 * system, with no right to its directory; only where the times are too coarse or lie does it take
 * {@linkcode PATIENCE} looks. It is not done by events since Deno's opens each file that an event
 * names: a FIFO that anybody makes in a watched directory stops it, and in the end the whole program
 * (ADR 9). Nothing here ever fails.
 */
export class FileWatch implements AsyncDisposable {
  readonly #paths: readonly string[];
  readonly #clock: Clock;
  readonly #poll: number;
  #seen: string | undefined;
  #quiet = 0;
  #hinted = true;
  #over = false;
  #wake = () => {};

  /** Watches these files, whether they are there or not. */
  constructor(paths: readonly string[], { clock, poll = POLL_MS }: WatchOptions) {
    this.#paths = paths;
    this.#clock = clock;
    this.#poll = poll;
  }

  /**
   * Resolves with true when there may be something new since it resolved last: at once the first
   * time, since there may be something new since the files were read. False: the watch is over.
   * One call at a time.
   */
  async next(): Promise<boolean> {
    while (!this.#over) {
      await this.#pause();
      const seen = await this.#look();
      // Whoever reads now reads at least what was just seen.
      if (!this.#hinted && seen === this.#seen && ++this.#quiet < PATIENCE) continue;
      this.#seen = seen;
      this.#quiet = 0;
      this.#hinted = false;
      return !this.#over;
    }
    return false;
  }

  /** Has the reader look now. */
  hint(): void {
    this.#hinted = true;
    this.#wake();
  }

  /** Ends it; what waits for a hint is told so. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#wake();
    return Promise.resolve();
  }

  async #pause(): Promise<void> {
    if (this.#hinted || this.#over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    using _poll = this.#clock.after(this.#poll, resolve);
    await promise;
  }

  async #look(): Promise<string> {
    return (await Promise.all(this.#paths.map(stateOf))).join();
  }
}

/** What tells a file from another one, and from itself after a change. */
async function stateOf(path: string): Promise<string> {
  // Asking without permission would stop at the terminal for an answer.
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return UNSEEN;
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(":");
  } catch {
    return UNSEEN;
  }
}
