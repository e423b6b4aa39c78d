/**
 * Noticing that files may have changed, however they are changed.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { dirname } from "node:path";
import type { Clock } from "./runtime/clock.ts";
import { explain } from "./runtime/errors.ts";

/**
 * How often files are looked at without an event: directories mounted into a container, and network
 * file systems, often have none, and a directory that may not be read cannot be watched.
 */
const POLL_MS = 5000;

/** Identity of a directory that is not there, or that the sandbox does not show. */
const UNSEEN = "";

const logger = getLogger(["rathole", "config"]);

/** What to watch, and how. */
export interface WatchOptions {
  /** Times the polls. */
  readonly clock: Clock;
  /** Milliseconds between two looks without an event; 5 s unless told. */
  readonly poll?: number;
}

/**
 * Says when files may have changed; what has changed, the reader finds out. Hints are never queued:
 * however many come while nobody waits, they are one.
 *
 * Their directories are watched, since a watch on a file ends with the first rename over it, and a
 * Kubernetes volume swaps a symbolic link beside it. A link is followed to the directory of its
 * target too. Where this is not possible (no permission for the directory, no watches left), only
 * polling remains; nothing here ever fails.
 */
export class FileWatch implements AsyncDisposable {
  readonly #paths: readonly string[];
  readonly #clock: Clock;
  readonly #poll: number;
  #watcher: Deno.FsWatcher | undefined;
  #following: Promise<void> | undefined;
  /** The directories as of the last look, and which ones they are by device and inode. */
  #directories: string | undefined;
  #hinted = false;
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
    await this.#renew();
    if (!this.#hinted && !this.#over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      using _poll = this.#clock.after(this.#poll, resolve);
      await promise;
    }
    this.#hinted = false;
    return !this.#over;
  }

  /** Has the reader look now. */
  hint(): void {
    this.#hinted = true;
    this.#wake();
  }

  /** Ends it; what waits for a hint is told so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    this.#wake();
    this.#close();
    await this.#following;
  }

  /** Watches the directories as they are now: they come, go, and are swapped for others. */
  async #renew(): Promise<void> {
    if (this.#over) return;
    const found = await directoriesOf(this.#paths);
    const directories = JSON.stringify([...found]);
    if (this.#over || directories === this.#directories) return;
    this.#directories = directories;
    this.#close();
    await this.#following;
    if (this.#over) return;
    this.#open(found);
    this.hint(); // what happened in between had no event
  }

  #open(found: ReadonlyMap<string, string>): void {
    const unseen = [...found].filter(([, identity]) => identity === UNSEEN).map(([path]) => path);
    if (unseen.length > 0) {
      const every = `${this.#poll / 1000}s`;
      logger.debug("Cannot see the directory, polling", { directories: unseen, every });
    }
    const readable = [...found.keys()].filter((directory) => !unseen.includes(directory));
    if (readable.length === 0) return;
    try {
      this.#watcher = Deno.watchFs(readable, { recursive: false });
    } catch (error) {
      logger.debug("Cannot watch the directory, polling", { reason: explain(error) });
      return;
    }
    logger.debug("Watching", { directories: readable });
    this.#following = this.#follow(this.#watcher, readable);
  }

  #close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #follow(watcher: Deno.FsWatcher, directories: readonly string[]): Promise<void> {
    try {
      for await (const { kind, paths } of watcher) {
        if (kind === "access") continue;
        // The directory itself: even if one of its name is there again, with the same inode, the
        // watch has ended.
        if (paths.some((path) => directories.includes(path))) this.#directories = undefined;
        this.hint();
      }
    } catch (error) {
      logger.debug("The watch has ended, polling", { reason: explain(error) });
    }
  }
}

/** The directories to watch, each once, with what tells it from another one of its name. */
async function directoriesOf(paths: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) {
    for (const directory of [await targetOf(dirname(path)), dirname(await targetOf(path))]) {
      const identity = await identityOf(directory);
      if (identity === UNSEEN || ![...found.values()].includes(identity)) {
        found.set(directory, identity);
      }
    }
  }
  return found;
}

/** Where a path leads through symbolic links; itself while there is nothing. */
async function targetOf(path: string): Promise<string> {
  return mayRead(path) ? await Deno.realPath(path).catch(() => path) : path;
}

async function identityOf(directory: string): Promise<string> {
  if (!mayRead(directory)) return UNSEEN;
  try {
    const { dev, ino } = await Deno.stat(directory);
    return `${dev}:${ino}`;
  } catch {
    return UNSEEN; // noticed when it comes back, by a poll
  }
}

/** Asking without permission would stop at the terminal for an answer. */
function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}
