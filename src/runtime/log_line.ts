/**
 * How events are put into words for the log.
 *
 * @module
 */

/** The levels of RUST_LOG. */
export type Level = "error" | "warn" | "info" | "debug" | "trace";

/** How an event reads in the log. */
export interface LogLine {
  /** How much it matters. */
  readonly level: Level;
  /** What happened, in words that stay the same: people grep for them. */
  readonly message: string;
  /** What differs from one to the next. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether strangers can cause it at will: such lines are written a few at a time only. */
  readonly cheap?: boolean;
}

/** A log line. */
export function logLine(level: Level, message: string, fields: LogLine["fields"] = {}): LogLine {
  return { level, message, fields };
}

/** A log line that strangers can cause at will. */
export function cheapLogLine(level: Level, message: string, fields: LogLine["fields"]): LogLine {
  return { level, message, fields, cheap: true };
}

/** A time in milliseconds as it is written in the log. */
export function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)}s`;
}
