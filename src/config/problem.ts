/**
 * What is wrong with a configuration, in the form people and programs read it.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** Keys from the outside in, such as `["client", "services", "ssh", "token"]`. */
export type Path = readonly string[];

/** Whether a configuration cannot be used, or only deserves a second look. */
export type Severity = "error" | "warning";

/** One thing that is wrong, or suspicious, in a configuration. */
export interface Problem {
  /** The file's name as it was given to `parseConfig`, if it was. */
  readonly file?: string | undefined;
  /** Line from 1; absent when the configuration did not come from text. */
  readonly line?: number | undefined;
  /** Column from 1, in UTF-16 units; absent like `line`. */
  readonly column?: number | undefined;
  /** The key concerned, dotted, quoted as in TOML where needed; empty for the file as a whole. */
  readonly key: string;
  /** The value found, as TOML; `***` for secrets, absent for tables, arrays and unknown keys. */
  readonly value?: string | undefined;
  /** What is wrong, as the end of a sentence that starts with the key. */
  readonly message: string;
  /** What to write instead; may be empty. */
  readonly help: string;
  /** `error` when the configuration cannot be used. */
  readonly severity: Severity;
}

/** The most errors a message lists; `problems` has them all. */
const MOST_LINES = 200;

/** Thrown for a configuration that cannot be used. Its message is one line for each error. */
export class ConfigError extends RatholeError {
  /** The class's name. */
  override readonly name: string = "ConfigError";
  /** Everything found, errors and warnings, in the order of the text. */
  readonly problems: readonly Problem[];

  /** Takes everything that was found; at least one of them is an error. */
  constructor(problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === "error");
    const lines = errors.slice(0, MOST_LINES).map(formatProblem);
    const more = errors.length - lines.length;
    if (more > 0) lines.push(`… and ${more} more`);
    super("config", lines.join("\n"));
    this.problems = problems;
  }
}

/**
 * A problem on one line: `config.toml:12:3: client.services.ssh.local_addr = "22": has no port;
 * write host:port such as "127.0.0.1:22"`.
 */
export function formatProblem(problem: Problem): string {
  const { file, line, column, key, value, message, help, severity } = problem;
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  const subject = value === undefined ? key : `${key} = ${value}`;
  const text = help === "" ? message : `${message}; ${help}`;
  return [place, severity === "warning" ? "warning" : "", subject, text]
    .filter((part) => part !== "").join(": ");
}

/** A path as TOML writes it: parts joined by dots, quoted where they are not bare keys. */
export function formatKey(path: Path): string {
  return path.map((part) => /^[\w-]+$/.test(part) ? part : quote(part)).join(".");
}

/** The longest text or key that is repeated in a message; more of it helps nobody. */
const LONGEST_QUOTE = 80;

/**
 * Text as a TOML basic string on one line. Control characters, also those that turn a terminal's
 * writing direction, are escaped, and long text is cut.
 */
export function quote(text: string): string {
  const characters = [...text];
  const cut = characters.length > LONGEST_QUOTE;
  const shown = cut ? `${characters.slice(0, LONGEST_QUOTE).join("")}…` : text;
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Where one sentence holds both, `what is wrong; what to write instead`, the two halves. Rules and
 * schema state both together, so that neither can be forgotten or drift from the other.
 */
export function splitSentence(sentence: string): { message: string; help: string } {
  const at = sentence.indexOf("; ");
  if (at === -1) return { message: sentence, help: "" };
  return { message: sentence.slice(0, at), help: sentence.slice(at + 2) };
}
