/**
 * Errors of TOML syntax, in words that help. The parser's own are right but short, and of the text
 * around them nothing may be repeated: it may hold a token.
 *
 * @module
 */

import { ParseError } from "toml-eslint-parser";
import { type Problem, splitSentence } from "./problem.ts";
import { everyKey } from "./shape.ts";

/** What reading TOML failed of, as a problem without its file's name. */
export function syntaxProblem(text: string, cause: unknown): Problem {
  const base = { key: "", severity: "error" } as const;
  if (!(cause instanceof ParseError)) {
    const what = cause instanceof RangeError
      ? "is nested too deep, or has a text too long, to be read"
      : "cannot be read as TOML";
    return { ...base, line: 1, column: 1, message: `the file ${what}`, help: "" };
  }
  const spot = findSpot(text, cause);
  const badValue = valueMistake(spot, cause.message);
  const sentence = notText(text) ?? badValue ?? mistake(spot, cause.message) ??
    ofParser(spot, cause.message);
  const column = sentence === badValue ? spot.valueColumn : spot.column;
  return { ...base, line: spot.line, column, ...splitSentence(sentence) };
}

/** Where the parser stopped. */
interface Spot {
  readonly line: number;
  readonly column: number;
  /** All lines of the text. */
  readonly lines: readonly string[];
  /** The line, from the start to where the parser stopped, and from there on. */
  readonly before: string;
  readonly after: string;
  /** What stands right of `key =` on that line, if the line begins so, and where. */
  readonly value: string | undefined;
  readonly valueColumn: number;
  /** That key, if it is one of the configuration's: others may be anything. */
  readonly key: string | undefined;
}

function findSpot(text: string, error: ParseError): Spot {
  const lines = text.split(/\r?\n/);
  const { line, column } = unfinishedLine(lines, error) ??
    { line: error.lineNumber, column: error.column };
  const current = lines[line - 1] ?? "";
  const [, start = "", name, value] = /^(\s*([\w-]+)\s*=\s*)(.*?)\s*$/.exec(current) ?? [];
  const key = [...everyKey()].find(([, known]) => known === name)?.[1];
  return {
    line,
    column: column + 1,
    lines,
    before: current.slice(0, column),
    after: current.slice(column),
    value,
    // One that is missing is missed where the line ends.
    valueColumn: value === "" ? column + 1 : start.length + 1,
    key,
  };
}

/** Where a line ends too early, if what is missing there was only missed on a later one. */
function unfinishedLine(
  lines: readonly string[],
  { lineNumber, column, message }: ParseError,
): { line: number; column: number } | undefined {
  if (!/^(?:Unspecified values|The key, equals|Unterminated table-key)/.test(message)) return;
  if (!isBlank((lines[lineNumber - 1] ?? "").slice(0, column))) return;
  const above = lines.slice(0, lineNumber - 1).findLastIndex((line) => !/^\s*(?:#|$)/.test(line));
  const text = lines[above] ?? "";
  const unfinished = /=\s*(?:#.*)?$|^\s*\[[^\]]*$/.test(text);
  return unfinished ? { line: above + 1, column: text.length } : undefined;
}

/** A file in UTF-16, or no text at all. */
function notText(text: string): string | undefined {
  return /[\0\ufffd]/.test(text.slice(0, 1000))
    ? "the file is not UTF-8 text; save it as UTF-8"
    : undefined;
}

/** The mistakes people make in a value. */
function valueMistake({ value, key = "key" }: Spot, message: string): string | undefined {
  if (value === undefined || message.startsWith("Defining a key")) return undefined;
  if (/^[“”‘’«»„]/.test(value)) {
    return `the quotes are typographic; write straight ones, ${key} = "…"`;
  }
  if (/^(?:true|false)$/i.test(value)) {
    return `true and false are lower case; write ${key} = ${value.toLowerCase()}`;
  }
  if (value === "") return `the value is missing; write ${key} = "…"`;
  // 127.0.0.1:22 begins as a number does; 1m30s too.
  return /^(?:[^\s"'[{\d+-]|\d+[.:\w-]*[.:a-z])/i.test(value)
    ? `text needs quotes; write ${key} = "…"`
    : undefined;
}

/** The mistakes people make elsewhere. */
function mistake(spot: Spot, message: string): string | undefined {
  const { before, after } = spot;
  if (message.startsWith("Defining a key")) return duplicate(spot);
  if (message.startsWith("Unspecified values")) return 'the value is missing; write key = "…"';
  if (/^\s*[\w."'-]+\s*$/.test(before) && /^\s*:/.test(after)) {
    return "the key is followed by a colon; write key = value";
  }
  if (/^\s*[{<]/.test(before + after) && spot.lines.slice(0, spot.line - 1).every(isBlank)) {
    return 'this is not TOML; write [client], then keys such as remote_addr = "…"';
  }
  return undefined;
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function duplicate(spot: Spot): string {
  const above = spot.lines.slice(0, spot.line - 1);
  const header = /^\s*(\[[^\]"']*\])/.exec(spot.before + spot.after)?.[1];
  if (header !== undefined) {
    const first = above.findIndex((line) => line.trimStart().startsWith(header));
    const place = first === -1 ? "" : `, first in line ${first + 1}`;
    return `the table ${header} is there twice${place}; write its keys below one header`;
  }
  if (spot.key === undefined || !isBlank(spot.before)) return "a key is there twice; leave one out";
  const own = new RegExp(`^\\s*${spot.key}\\s*=`);
  const first = above.findLastIndex((line) => own.test(line));
  const place = first === -1 ? "" : `, first in line ${first + 1}`;
  return `the key ${spot.key} is there twice${place}; leave one out`;
}

/** The parser's message in the words used here; its own where those are good enough. */
function ofParser(spot: Spot, message: string): string {
  if (message.startsWith("Unterminated string")) {
    return "the text does not end; close it with the quote it began with, on the same line";
  }
  if (message.startsWith("Invalid character in escape")) {
    return "a backslash needs a second one; write \\\\ for it, or use single quotes";
  }
  if (message.startsWith("Unterminated table-key") || message.startsWith("The key, equals")) {
    return /^\s*\[/.test(spot.before)
      ? "the table's header does not end; close it with ]"
      : "key, = and value must be on one line; join them";
  }
  if (message.startsWith("Must be a newline")) {
    return "something follows what should end the line; begin a new line, or a comment with #";
  }
  if (message.startsWith("Expected equal")) return 'there is no =; write key = "value"';
  if (message.startsWith("Unterminated inline")) return "the inline table does not end; add }";
  if (message.startsWith("Unterminated array")) return "the array does not end; add ]";
  if (message.startsWith("Control characters") || message.endsWith("within comments")) {
    return 'there is a control character; leave it out, or in text write an escape such as "\\t"';
  }
  if (message.startsWith("Unexpected")) {
    return 'this is not TOML; write [table] or key = "value"';
  }
  // Never more than the parser's own fixed words: data in a message may come from a token.
  const fixed = message.replace(/code point .*?(?= within|$)/, "code point");
  return `${fixed.charAt(0).toLowerCase()}${fixed.slice(1)}`;
}
