/**
 * A server or client in this process that follows its configuration file, as the program does.
 *
 * @module
 */

import { readConfigFile } from "../../src/cli/config_file.ts";
import { ConfigSource } from "../../src/cli/config_source.ts";
import { denoIo } from "../../src/cli/deno_io.ts";
import type { Side } from "../../src/cli/mode.ts";
import { readSide, revisionsOf } from "../../src/cli/revisions.ts";
import type { ClientConfig, ServerConfig } from "../../src/config/types.ts";
import { type Start, supervise } from "../../src/supervisor.ts";
import { FileWatch } from "../../src/watch.ts";
import type { ChangingFile } from "./changing_file.ts";
import { eventually } from "./patience.ts";

/** What became of the files that were read. */
export interface Outcomes {
  readonly applied: number;
  readonly refused: number;
  readonly unchanged: number;
}

/** Something that follows its file. */
export interface Follower extends AsyncDisposable {
  readonly outcomes: Outcomes;
  /** Resolves when so many changes were dealt with. */
  until(handled: number): Promise<unknown>;
}

/** How one side is followed. */
export interface Following<C> {
  readonly file: ChangingFile;
  /** Milliseconds that a text must stay. */
  readonly settle: number;
  readonly start: Start<C>;
  readonly blockOf: (side: Side) => C | undefined;
}

/** Starts it. */
export async function follow<C extends ServerConfig | ClientConfig>(
  { file, settle, start, blockOf }: Following<C>,
): Promise<Follower> {
  const io = denoIo();
  const asked = { config: file.path };
  const text = await readConfigFile(file.path, io);
  const first = blockOf(readSide(text, asked));
  if (first === undefined) throw new Error("that is the other side's file");
  const outcomes = { applied: 0, refused: 0, unchanged: 0 };
  // The program looks once a second; a thousand changes would take as many.
  const watch = new FileWatch([file.path], { clock: io.clock, poll: 5 });
  const source = new ConfigSource(file.path, text, watch, io, settle);
  const running = await supervise<C>(first, {
    start,
    clock: io.clock,
    signal: new AbortController().signal,
    revisions: revisionsOf(source, asked, blockOf),
    report: {
      applied: () => outcomes.applied++,
      refused: () => outcomes.refused++,
      unchanged: () => outcomes.unchanged++,
    },
  });
  return {
    outcomes,
    until: (handled) =>
      eventually(
        `${handled} changes of ${file.path}`,
        () => ({ ...outcomes }),
        ({ applied, refused, unchanged }) => applied + refused + unchanged >= handled,
      ),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
