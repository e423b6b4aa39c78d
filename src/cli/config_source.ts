/**
 * The configuration file as it changes: each text that has come to rest.
 *
 * @module
 */

import { sleep } from "../runtime/clock.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import { readConfigFile } from "./config_file.ts";
import type { Hints, Io } from "./io.ts";

/** Two looks so far apart must find the same: whoever writes in place is not half-way then. */
const SETTLE_MS = 150;
/** A file that is missing or empty has most often been unlinked or truncated to be written anew. */
const GRACE_MS = 1000;
/** A file that never comes to rest is taken as it is found then. */
const LONGEST_MS = 5000;

/** The file is not there, or cannot be read. */
export class Unreadable extends RatholeError {}

/** What a look at the file found. */
export type Reading = { readonly text: string } | { readonly error: Unreadable };

/** A reading that somebody has to hear of. */
export interface Change {
  /** What the file says now, or why it cannot be read. */
  readonly reading: Reading;
  /** Whether somebody asked for it, so that it may be what the last one was. */
  readonly asked: boolean;
}

/** What following a file needs of the outside. */
export type SourceIo = Pick<Io, "readFile" | "isFile" | "clock">;

/** Hints that come only when somebody asks, for what cannot be watched. */
export function onRequest(): Hints {
  let over = false;
  let asked = Promise.withResolvers<void>();
  return {
    async next() {
      await asked.promise;
      asked = Promise.withResolvers();
      return !over;
    },
    hint: () => asked.resolve(),
    [Symbol.asyncDispose]() {
      over = true;
      asked.resolve();
      return Promise.resolve();
    },
  };
}

/**
 * Follows a file. What its text says is all that counts, not its times, its inode or which events
 * there were: a file that was touched, or replaced by a copy of itself, has not changed. Only one
 * reading is ever held, the latest.
 */
export class ConfigSource implements AsyncDisposable {
  readonly #path: string;
  readonly #hints: Hints;
  readonly #io: SourceIo;
  readonly #left = new AbortController();
  readonly #settle: number;
  #last: Reading;
  #asked = false;

  /**
   * Follows `path` from `text` on, which is what it said, by hints that it owns. A text must stay
   * for `settle` milliseconds, which are 150 unless told.
   */
  constructor(path: string, text: string, hints: Hints, io: SourceIo, settle = SETTLE_MS) {
    this.#settle = settle;
    this.#path = path;
    this.#last = { text };
    this.#hints = hints;
    this.#io = io;
  }

  /** Looks at once, and hands out what it finds even if that is nothing new. */
  ask(): void {
    this.#asked = true;
    this.#hints.hint();
  }

  /** The next change; undefined when the end came first. Never rejects. */
  async next(): Promise<Change | undefined> {
    while (await this.#hints.next()) {
      const asked = this.#asked;
      this.#asked = false;
      const reading = await this.#settled();
      if (this.#left.signal.aborted) return undefined;
      if (!asked && same(reading, this.#last)) {
        // Other files of a busy directory change all the time.
        await sleep(this.#io.clock, this.#settle, this.#left.signal);
        continue;
      }
      this.#last = reading;
      return { reading, asked };
    }
    return undefined;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.abort();
    await this.#hints[Symbol.asyncDispose]();
  }

  /** What is there, as soon as it stays the same for a while. */
  async #settled(): Promise<Reading> {
    const { clock } = this.#io;
    const start = clock.now();
    let since = start;
    let reading = await this.#read();
    // The last one once more: nothing happened, or whatever happens has not begun.
    while (!same(reading, this.#last) && !this.#left.signal.aborted) {
      await sleep(clock, this.#settle, this.#left.signal);
      const now = clock.now();
      const before = reading;
      reading = await this.#read();
      if (!same(reading, before)) since = now;
      if (
        now - since >= (isBlank(reading) ? GRACE_MS : this.#settle) || now - start >= LONGEST_MS
      ) break;
    }
    return reading;
  }

  async #read(): Promise<Reading> {
    try {
      // A pipe would be waited for, and has been emptied by the first reading.
      if (await this.#io.isFile(this.#path).catch(() => true)) {
        return { text: await readConfigFile(this.#path, this.#io) };
      }
      const message = `'${this.#path}' is not a file that can be read again`;
      return { error: new Unreadable("config", message) };
    } catch (cause) {
      const code = cause instanceof RatholeError ? cause.code : "config";
      return { error: new Unreadable(code, explain(cause), { cause }) };
    }
  }
}

/** Whether there is nothing to read, or not yet. */
function isBlank(reading: Reading): boolean {
  return "error" in reading || reading.text.trim() === "";
}

function same(a: Reading, b: Reading): boolean {
  if ("text" in a) return "text" in b && a.text === b.text;
  return "error" in b && a.error.message === b.error.message;
}
