/**
 * What a check found, before it is known where in the text that is.
 *
 * @module
 */

import { formatKey, type Path, type Problem, type Severity, splitSentence } from "./problem.ts";
import { shapeAt } from "./shape.ts";
import type { Position } from "./toml.ts";
import { isTable, show, valueAt } from "./value.ts";

/** The side of the tunnel a block configures. */
export type Side = "server" | "client";

/** Something found at a key: `what is wrong; what to write instead`. */
export interface Finding {
  /** The key, which need not be written: a missing one has its path here too. */
  readonly path: Path;
  /** `what is wrong; what to write instead`. Must not repeat a value that may be secret. */
  readonly sentence: string;
  /** Whether the configuration cannot be used. */
  readonly severity: Severity;
}

/** A finding that makes the configuration unusable. */
export function error(path: Path, sentence: string): Finding {
  return { path, sentence, severity: "error" };
}

/** A finding that deserves a look. */
export function warning(path: Path, sentence: string): Finding {
  return { path, sentence, severity: "warning" };
}

/** Makes a finding: {@linkcode error}, {@linkcode warning}, or whichever of them applies. */
export type Judge = (path: Path, sentence: string) => Finding;

/** Where a finding is, for configurations that came from text. */
export interface Source {
  /** The file's name, if it has one. */
  readonly file: string | undefined;
  /** Where a key was first written; undefined when it was not. */
  position(path: Path): Position | undefined;
}

/** Findings as problems, in the order of the text. `root` is what was checked. */
export function toProblems(
  findings: readonly Finding[],
  root: unknown,
  source?: Source,
): Problem[] {
  const problems = findings.map((finding): Problem => {
    const at = source === undefined ? undefined : nearestPosition(source, finding.path);
    return {
      file: source?.file,
      line: at?.line,
      column: at?.column,
      key: formatKey(inList(finding.path) ? finding.path.slice(0, -1) : finding.path),
      value: shownValue(root, finding.path),
      ...splitSentence(finding.sentence),
      severity: finding.severity,
    };
  });
  return problems.sort((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}

/** Whether it is an entry of an array: TOML has no name for it, its value and place say which. */
function inList(path: Path): boolean {
  return shapeAt(path.slice(0, -1))?.kind === "list";
}

/** The place of a key, or of the innermost table around it that is written. */
function nearestPosition(source: Source, path: Path): Position {
  for (let length = path.length; length > 0; length--) {
    const position = source.position(path.slice(0, length));
    if (position !== undefined) return position;
  }
  return { line: 1, column: 1 };
}

/** The value at a key as a message may show it: not for unknown keys, masked for secret ones. */
function shownValue(root: unknown, path: Path): string | undefined {
  const value = valueAt(root, path);
  const shape = shapeAt(path);
  if (value === undefined || isTable(value) || shape === undefined) return undefined;
  // Text where a table belongs may be anything, also the token that was to go into the table.
  if (shape.keys !== undefined || shape.each !== undefined) return undefined;
  return shape.masked === true ? "***" : show(value);
}
