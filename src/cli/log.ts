/**
 * Where the log records of server and client go. They call LogTape, which discards everything
 * until a program configures it; this is the program.
 *
 * @module
 */

import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import type { LogFormat } from "./arguments.ts";
import type { Io } from "./io.ts";
import type { LogFilter } from "./log_filter.ts";
import { jsonFormatter, targetOf, textFormatter } from "./log_format.ts";
import { LogWriter } from "./log_writer.ts";

/** How long the end of the program waits for the last lines. */
const FLUSH_MS = 1000;

/** What the log needs of the outside. */
export type LogIo = Pick<Io, "stdout" | "clock" | "colour">;

/** Sends log records to standard output until disposed, which writes what is left. */
export function openLog(io: LogIo, format: LogFormat, filter: LogFilter): AsyncDisposable {
  const toLine = format === "json" ? jsonFormatter() : textFormatter(io.colour);
  const writer = new LogWriter(io.stdout, {
    clock: io.clock,
    lossNotice: (count) => toLine(lossRecord(count)),
  });
  configureSync({
    reset: true,
    sinks: { stdout: (record) => writer.write(toLine(record)) },
    // One logger and one filter: with a logger a directive, LogTape would drop what a parent's
    // level excludes, or print twice, and know whole names only where RUST_LOG knows prefixes.
    filters: { rustLog: (record) => filter.accepts(targetOf(record), record.level) },
    loggers: [
      {
        category: "rathole",
        sinks: ["stdout"],
        filters: ["rustLog"],
        lowestLevel: filter.verbosest,
      },
      // LogTape's own announcements, which otherwise go to the console.
      { category: ["logtape", "meta"], sinks: [], lowestLevel: null },
    ],
  });
  return {
    async [Symbol.asyncDispose]() {
      resetSync();
      await writer.flush(FLUSH_MS);
    },
  };
}

function lossRecord(count: number): LogRecord {
  const message = count === 1 ? "1 log line dropped" : `${count} log lines dropped`;
  return {
    category: ["rathole", "log"],
    level: "warning",
    message: [message],
    rawMessage: message,
    timestamp: Date.now(),
    properties: { reason: "standard output did not take them" },
  };
}
