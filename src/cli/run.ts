/**
 * `rathole CONFIG`: from the file to a server or client that has ended.
 *
 * @module
 */

import type { ClientConfig, ServerConfig } from "../config/types.ts";
import { type Start, supervise } from "../supervisor.ts";
import type { Command } from "./arguments.ts";
import { readConfigFile } from "./config_file.ts";
import { ConfigSource, onRequest } from "./config_source.ts";
import { escapeUnprintable } from "./escape.ts";
import type { Io } from "./io.ts";
import { openLog } from "./log.ts";
import { parseLogFilter } from "./log_filter.ts";
import type { Side } from "./mode.ts";
import { logWarnings, reloadLog } from "./reload_log.ts";
import { readSide, revisionsOf } from "./revisions.ts";
import { serve } from "./serve.ts";

type RunCommand = Extract<Command, { kind: "run" }>;

/** Runs one side of the configuration until it ends; rejects with why it could not or had to. */
export async function run(command: RunCommand, io: Io): Promise<void> {
  const { filter, ignored } = parseLogFilter(io.env("RUST_LOG"));
  for (const sentence of ignored) await warn(sentence, io);
  const text = await readConfigFile(command.config, io);
  const side = readSide(text, command);
  await using _log = openLog(io, command.logFormat, filter);
  logWarnings(side.warnings);

  // What a pipe said cannot be read again. A file that is gone already may come back.
  const follow = await io.isFile(command.config).catch(() => true);
  const hints = follow ? io.watch(command.config) : onRequest();
  await using source = new ConfigSource(command.config, text, hints, io);
  if (side.mode === "server") {
    const blockOf = (side: Side) => side.mode === "server" ? side.config : undefined;
    await runBlock(side.config, { start: io.startServer, blockOf, command, source }, io);
  } else {
    const blockOf = (side: Side) => side.mode === "client" ? side.config : undefined;
    await runBlock(side.config, { start: io.startClient, blockOf, command, source }, io);
  }
}

interface Block<C> {
  readonly start: Start<C>;
  readonly blockOf: (side: Side) => C | undefined;
  readonly command: RunCommand;
  readonly source: ConfigSource;
}

async function runBlock<C extends ServerConfig | ClientConfig>(
  first: C,
  { start, blockOf, command, source }: Block<C>,
  io: Io,
): Promise<void> {
  let current = first;
  const revisions = revisionsOf(source, command, blockOf);
  const report = reloadLog<C>((config) => current = config);
  await serve({
    start: (signal) => supervise(first, { start, revisions, report, clock: io.clock, signal }),
    reload: () => source.ask(),
    drainSeconds: () => current.drain_timeout,
  }, io);
}

async function warn(sentence: string, io: Pick<Io, "stderr">): Promise<void> {
  const line = `rathole: warning: ${escapeUnprintable(sentence)}\n`;
  await io.stderr.write(new TextEncoder().encode(line)).catch(() => {});
}
