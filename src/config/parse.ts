/**
 * Configuration text to values.
 *
 * @module
 */

import { checkFile } from "./check.ts";
import { toProblems } from "./finding.ts";
import { ConfigError, formatKey, type Path, type Problem } from "./problem.ts";
import { syntaxProblem } from "./syntax.ts";
import { type Position, readToml, type TomlDocument } from "./toml.ts";
import type { Config } from "./types.ts";

/** A configuration, and what is known about the text it came from. */
export interface ParsedConfig {
  /** The values, complete. */
  readonly config: Config;
  /** What deserves a look though the configuration can be used, in the order of the text. */
  readonly warnings: readonly Problem[];
  /**
   * Whether a key was written rather than left to its default. Takes the key as messages show it,
   * `client.services."a.b".token`, or its parts.
   */
  written(key: string | Path): boolean;
  /** Where a key, or a table's header, is in the text; undefined when it was not written. */
  position(key: string | Path): Position | undefined;
}

/** What else is known about the text. */
export interface ParseOptions {
  /** The file's name, to begin each message with. */
  readonly file?: string | undefined;
}

/**
 * Reads a configuration file's text. Nothing is read from disk: files named in it are not looked at.
 *
 * @throws {ConfigError} with every problem at once; for an error of TOML syntax, the first one.
 */
export function parseConfig(text: string, options: ParseOptions = {}): ParsedConfig {
  const document = readDocument(text, options.file);
  const { findings, result } = checkFile(document.root);
  const source = {
    file: options.file,
    position: (path: Path) => document.position(formatKey(path)),
  };
  const problems = toProblems(findings, document.root, source);
  if (result === undefined) throw new ConfigError(problems);
  const position = (key: string | Path) =>
    document.position(typeof key === "string" ? key : formatKey(key));
  return {
    config: result,
    warnings: problems,
    written: (key) => position(key) !== undefined,
    position,
  };
}

function readDocument(text: string, file: string | undefined): TomlDocument {
  // Editors on Windows write a byte order mark, which TOML leaves to be ignored.
  const body = text.replace(/^\ufeff/, "");
  try {
    return readToml(body);
  } catch (cause) {
    throw new ConfigError([{ file, ...syntaxProblem(body, cause) }]);
  }
}
