/**
 * How a log record looks as a line. Pure; the lines end with a newline and contain no other.
 *
 * Much of what is logged was sent by strangers, so nothing in a record can start a line of its own,
 * reach a terminal as a control sequence, or pass for another key.
 *
 * @module
 */

import type { LogRecord } from "@logtape/logtape";
import { explain } from "../runtime/errors.ts";
import { escapeInJson, escapeUnprintable } from "./escape.ts";

/** Turns a record into its line. */
export type LineFormatter = (record: LogRecord) => string;

/** The longest value printed; what one peer says shall not fill the log. */
const LONGEST_VALUE = 4096;

const LEVEL_NAMES: Readonly<Record<LogRecord["level"], string>> = {
  fatal: "ERROR",
  error: "ERROR",
  warning: "WARN",
  info: "INFO",
  debug: "DEBUG",
  trace: "TRACE",
};

/** Select-graphic-rendition codes: those of Rust's tracing, so that habits keep. */
const LEVEL_COLOURS: Readonly<Record<string, number>> = {
  ERROR: 31,
  WARN: 33,
  INFO: 32,
  DEBUG: 34,
  TRACE: 35,
};
const DIM = 2;
const ITALIC = 3;

/** The target of a record: its category as Rust would write the module. */
export function targetOf(record: LogRecord): string {
  return record.category.join("::");
}

/** `TIME LEVEL target: message key=value …` */
export function textFormatter(colour: boolean): LineFormatter {
  const paint = (code: number, text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  return (record) => {
    const level = LEVEL_NAMES[record.level];
    let line = `${paint(DIM, formatTime(record.timestamp))} ` +
      `${paint(LEVEL_COLOURS[level] ?? 0, level.padStart(5))} ` +
      `${paint(DIM, escapeUnprintable(targetOf(record)))}${paint(DIM, ":")} ` +
      escapeUnprintable(messageOf(record));
    for (const [key, value] of Object.entries(record.properties)) {
      if (value === undefined) continue;
      line += ` ${paint(ITALIC, quoteIfNeeded(key))}${paint(DIM, "=")}` +
        quoteIfNeeded(shorten(textOf(value)));
    }
    return `${line}\n`;
  };
}

/** One JSON object: `time`, `level`, `target`, `message` and, where there are any, `fields`. */
export function jsonFormatter(): LineFormatter {
  return (record) => {
    const line: Record<string, unknown> = {
      time: formatTime(record.timestamp),
      level: LEVEL_NAMES[record.level],
      target: targetOf(record),
      message: messageOf(record),
    };
    // Apart from the four names above, so that no property can pass for one of them.
    if (Object.keys(record.properties).length > 0) line["fields"] = record.properties;
    return `${escapeInJson(toJson(line))}\n`;
  };
}

/** With six digits after the second, as programs that read rathole's log expect. */
function formatTime(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "000Z");
}

function messageOf(record: LogRecord): string {
  return shorten(record.message.map(textOf).join(""));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return explain(value);
  if (typeof value === "object" && value !== null && !hasOwnText(value)) return toJson(value);
  return String(value);
}

/** Whether a class says itself how it is written, as Secret does. */
function hasOwnText(value: object): boolean {
  return !Array.isArray(value) && value.toString !== Object.prototype.toString;
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner === "string") return shorten(inner);
      if (inner instanceof Error) return shorten(explain(inner));
      if (typeof inner === "bigint") return String(inner);
      if (typeof inner === "number" && !Number.isFinite(inner)) return String(inner);
      return inner;
    }) ?? "null";
  } catch {
    return '"(cannot be written as JSON)"'; // a cycle; a log line must not fail its caller
  }
}

function shorten(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}

function quoteIfNeeded(text: string): string {
  if (text !== "" && !/[\s"'\\=\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) return text;
  return `"${escapeUnprintable(text.replaceAll(/["\\]/g, "\\$&"))}"`;
}
