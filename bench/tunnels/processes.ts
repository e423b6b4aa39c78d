/**
 * The programs that a run starts: every wait for them has an end, and none outlives the run.
 *
 * @module
 */

import { installed } from "../../tests/support/installed.ts";
import { eventually, soon } from "../../tests/support/patience.ts";

/** How much of a program's output is kept, in characters: enough to say why it ended. */
const KEPT = 20_000;

/** Gives the program that follows as many descriptors as there may be, then becomes it. */
const RAISED = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';

/** How to start a program. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs until it is disposed of. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** The last of what it printed, to either output. */
  readonly text: string;
  /** Whether it has ended by itself. */
  readonly over: boolean;
  /** Resolves once it has printed this, within 10 seconds. */
  until(pattern: RegExp): Promise<void>;
}

/** Starts programs, and knows all that run. */
export class Processes implements AsyncDisposable {
  /** Becomes the program that follows, which the kernel then kills when this process is gone. */
  readonly #bound: readonly string[];
  readonly #children = new Set<Deno.ChildProcess>();

  private constructor(bound: readonly string[]) {
    this.#bound = bound;
  }

  /** Finds out how a program can be bound to this one's life. */
  static async make(): Promise<Processes> {
    const { path } = await installed("setpriv");
    return new Processes(path === null ? [] : [path, "--pdeathsig", "KILL"]);
  }

  /** Starts a program that runs on. */
  start(command: readonly string[], options: StartOptions = {}): Running {
    const child = this.#spawn(command, options);
    let text = "";
    let over = false;
    const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) {
        text = `${text}${part}`.slice(-KEPT);
      }
    };
    const ending = Promise.all([child.status, collect(child.stdout), collect(child.stderr)])
      .finally(() => over = true);
    const [program] = command;
    return {
      pid: child.pid,
      get text() {
        return text;
      },
      get over() {
        return over;
      },
      async until(pattern) {
        const there = () => pattern.test(text) || over;
        await eventually(`${program} to print ${pattern}`, there, Boolean, 10_000);
        if (!pattern.test(text)) throw new Error(`${program} ended: ${text.trim()}`);
      },
      async [Symbol.asyncDispose]() {
        kill(child);
        await soon(`the end of ${program}`, ending);
      },
    };
  }

  /** Runs a program to its end, which must come within `ms`; resolves with what it printed. */
  async output(command: readonly string[], ms: number, options: StartOptions = {}) {
    const child = this.#spawn(command, options);
    try {
      const { code, stdout, stderr } = await soon(`${command.join(" ")}`, child.output(), ms);
      const decoder = new TextDecoder();
      const output = decoder.decode(stdout);
      if (code === 0) return output;
      const said = decoder.decode(stderr).trim() || output.trim();
      throw new Error(`${command.join(" ")} failed (${code}): ${said.slice(-500)}`);
    } finally {
      kill(child);
    }
  }

  /** Ends all of them, which fails whatever waits for one. */
  killAll(): void {
    for (const child of this.#children) kill(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killAll();
    await Promise.all(Array.from(this.#children, (child) => child.status));
  }

  #spawn(command: readonly string[], { cwd, env = {} }: StartOptions): Deno.ChildProcess {
    const child = new Deno.Command("sh", {
      args: ["-c", RAISED, "sh", ...this.#bound, ...command],
      ...(cwd === undefined ? {} : { cwd }),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", LC_ALL: "C", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.add(child);
    child.status.finally(() => this.#children.delete(child));
    return child;
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}
