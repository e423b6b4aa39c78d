/**
 * A program that runs for long: only the last of its output is kept, and its errors are seen.
 *
 * @module
 */

import { soon } from "../support/patience.ts";

/** Lines that are kept. */
const KEPT = 60;
/** The longest line that is kept whole. */
const LONGEST_LINE = 10_000;
/**
 * Errors that are meant to be: a file that is broken on purpose is refused with errors of this
 * target, and the second client is refused the service whose token it does not know, which 0.5.0
 * calls an error. Visitors, strangers and clients that fail are warnings.
 */
const EXPLAINED =
  /^\S+ +ERROR (rathole::config: |.*Authentication failed: steady: Incorrect token)/;
const ERROR = /^\S+ +ERROR |Fault in this program|internal error|panicked/;

/** How to run one. */
export interface ProgramOptions {
  /** What it is called in messages. */
  readonly name: string;
  /** The program. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | URL;
  readonly env?: Readonly<Record<string, string>>;
  /** Is told each error line. */
  readonly onError: (line: string) => void;
}

/** See the module. */
export class Program implements AsyncDisposable {
  readonly name: string;
  /** Settles when it has ended and all of its output was read. */
  readonly ended: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<{ pattern: RegExp; found: (match: RegExpExecArray) => void }>();
  readonly #onError: (line: string) => void;
  #over = false;

  /** Starts it. */
  constructor({ name, command, args, cwd, env = {}, onError }: ProgramOptions) {
    this.name = name;
    this.#onError = onError;
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", RUST_LOG: "info", ...env },
      // Ctrl-C is for who soaks; the programs are ended by it in good order.
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stderr, stdout, status } = this.#child;
    this.ended = Promise.all([status, this.#read(stdout), this.#read(stderr)]).then(() => {
      this.#over = true;
    });
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** The last lines that it has printed. */
  get tail(): string {
    return this.#lines.join("\n");
  }

  /** Resolves with the match of a line printed from now on. */
  async says(pattern: RegExp, ms = 20_000): Promise<RegExpExecArray> {
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    const waiter = { pattern, found: resolve };
    this.#waiting.add(waiter);
    try {
      return await soon(`${this.name} to print ${pattern}`, promise, ms);
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  /** Sends a signal, unless it has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#over) this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.signal("SIGKILL");
    } catch (error) {
      // It has just ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.ended;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split("\n");
      rest = (lines.pop() ?? "").slice(-LONGEST_LINE);
      for (const line of lines) this.#take(line);
    }
    if (rest !== "") this.#take(rest);
  }

  #take(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
    if (ERROR.test(line) && !EXPLAINED.test(line)) this.#onError(line);
    for (const { pattern, found } of this.#waiting) {
      const match = pattern.exec(line);
      if (match !== null) found(match);
    }
  }
}
