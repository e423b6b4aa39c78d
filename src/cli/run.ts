/**
 * `rathole CONFIG`: from the file to a server or client that has ended.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { parseConfig } from "../config/parse.ts";
import { formatProblem } from "../config/problem.ts";
import type { Command } from "./arguments.ts";
import { readConfigFile } from "./config_file.ts";
import { escapeUnprintable } from "./escape.ts";
import type { Io } from "./io.ts";
import { openLog } from "./log.ts";
import { parseLogFilter } from "./log_filter.ts";
import { chooseSide } from "./mode.ts";
import { serve } from "./serve.ts";

/** Runs one side of the configuration until it ends; rejects with why it could not or had to. */
export async function run(command: Extract<Command, { kind: "run" }>, io: Io): Promise<void> {
  const { filter, ignored } = parseLogFilter(io.env("RUST_LOG"));
  for (const sentence of ignored) await warn(sentence, io);
  const text = await readConfigFile(command.config, io);
  const { config, warnings } = parseConfig(text, { file: command.config });
  const side = chooseSide(config, command.mode);
  await using _log = openLog(io, command.logFormat, filter);
  const logger = getLogger(["rathole", "config"]);
  for (const warning of warnings) {
    // A tagged template, since braces in a plain message would be read as placeholders; the line's
    // level already says that it is a warning.
    logger.warn`${formatProblem({ ...warning, severity: "error" })}`;
  }
  const start = (signal: AbortSignal) =>
    side.mode === "server"
      ? io.startServer(side.config, { signal })
      : io.startClient(side.config, { signal });
  await serve(start, side.config.drain_timeout, io);
}

async function warn(sentence: string, io: Pick<Io, "stderr">): Promise<void> {
  const line = `rathole: warning: ${escapeUnprintable(sentence)}\n`;
  await io.stderr.write(new TextEncoder().encode(line)).catch(() => {});
}
