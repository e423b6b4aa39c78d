/**
 * Programs run by tests: their output is kept, and they are gone when the test is.
 *
 * @module
 */

import { bothWays } from "./both_ways.ts";
import { soon } from "./patience.ts";

/** The project's folder. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** A program that runs, or has. */
export interface Child extends AsyncDisposable {
  /** All that it has printed, to either output. */
  readonly text: string;
  /** Its process. */
  readonly pid: number;
  /** Resolves with what matched, once it was printed; looks from `from` on. */
  until(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  kill(signal?: Deno.Signal): void;
  /** Resolves with how it ended, once all of its output is there, within `ms` milliseconds. */
  ended(ms?: number): Promise<Deno.CommandStatus>;
}

/** How to run a program. */
export interface ChildOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its environment is `env` alone. */
  readonly clearEnv?: boolean;
}

/** Starts a program in the project's folder. */
export function startChild(program: string, options: ChildOptions): Child {
  const { args, env = {}, clearEnv = false } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    clearEnv,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  let over = false;
  let more = Promise.withResolvers<void>();
  const tell = () => {
    more.resolve();
    more = Promise.withResolvers<void>();
  };
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      tell();
    }
  };
  const ending = (async () => {
    const [status] = await Promise.all([
      child.status,
      collect(child.stdout),
      collect(child.stderr),
    ]);
    over = true;
    tell();
    return status;
  })();
  const said = (what: string, error?: unknown) =>
    new Error(`${what}: ${program} ${args.join(" ")}\n${text}`, { cause: error });
  const kill = (signal: Deno.Signal = "SIGTERM") => {
    if (!over) child.kill(signal);
  };
  return {
    pid: child.pid,
    get text() {
      return text;
    },
    async until(pattern, from = 0) {
      const search = async () => {
        for (;;) {
          const match = pattern.exec(text.slice(from));
          if (match !== null) return match;
          if (over) throw said(`ended without ${pattern}`);
          await more.promise;
        }
      };
      try {
        return await soon(`${pattern}`, search());
      } catch (error) {
        throw said(`never printed ${pattern}`, error);
      }
    },
    kill,
    async ended(ms) {
      try {
        return await soon("the program's end", ending, ms);
      } catch (error) {
        throw said("did not end", error);
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        kill("SIGKILL");
      } catch {
        // It has just ended by itself.
      }
      await ending;
    },
  };
}

/** A file with this text, removed in the end. */
export async function textFile(
  text: string,
  suffix = ".toml",
): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile({ suffix });
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** A program of ours, with its configuration file. */
export interface ProgramOptions {
  /** What the configuration file says. */
  readonly config: string;
  /** What it may do besides reading that file, such as `--allow-net=127.0.0.1`. */
  readonly allow?: readonly string[];
  /** Further arguments. */
  readonly args?: readonly string[];
  /** RUST_LOG. */
  readonly log?: string;
  /** Further variables of its environment; of these, only the runtime needs no permission. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it runs as from a package: with this project's imports, without its unstable flags. */
  readonly packaged?: boolean;
}

/** A child that takes its file with it when it ends. */
export function withFile(child: Child, file: AsyncDisposable): Child {
  return {
    pid: child.pid,
    get text() {
      return child.text;
    },
    until: child.until,
    kill: child.kill,
    ended: child.ended,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
    },
  };
}

/** Starts `deno run … mod.ts CONFIG`. */
export async function startProgram(options: ProgramOptions): Promise<Child> {
  const { allow = [], args = [], config, env = {}, log, packaged = false } = options;
  const file = await textFile(bothWays(config));
  const child = startChild(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      ...(packaged ? WITHOUT_CONFIG : []),
      `--allow-read=${file.path}`,
      ...(log === undefined ? [] : ["--allow-env=RUST_LOG"]),
      ...allow,
      "mod.ts",
      file.path,
      ...args,
    ],
    env: log === undefined ? env : { ...env, RUST_LOG: log },
  });
  return withFile(child, file);
}

/** Deno's arguments for running without deno.json, and so without its unstable flags. */
export const WITHOUT_CONFIG: readonly string[] = [
  "--no-config",
  "--import-map=deno.json",
  "--no-lock",
];
