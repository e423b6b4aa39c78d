/**
 * RUST_LOG, as the `EnvFilter` of Rust's tracing reads it, without spans and fields, of which
 * there are none here.
 *
 * @module
 */

import type { LogLevel } from "@logtape/logtape";

/** Which lines are wanted: of the directives whose target is a prefix, the longest decides. */
export interface LogFilter {
  /** The most verbose level wanted of any target; null when nothing is. */
  readonly verbosest: LogLevel | null;
  /** Whether a line of this target (`rathole::server`) and level is wanted. */
  accepts(target: string, level: LogLevel): boolean;
}

/** A filter, and what was wrong with the text it was made from. */
export interface ParsedLogFilter {
  /** What the directives that were understood ask for. */
  readonly filter: LogFilter;
  /** A sentence for each directive that was not. */
  readonly ignored: readonly string[];
}

/** What is logged when RUST_LOG says nothing. */
const DEFAULT_LEVEL = 3;

/** What all targets begin with. */
const PROGRAM = "rathole";

/** By verbosity, so that a wanted level includes those before it; 0 is off. */
const LEVELS: readonly LogLevel[] = ["fatal", "error", "warning", "info", "debug", "trace"];

const VERBOSITY: ReadonlyMap<string, number> = new Map([
  ["off", 0],
  ["error", 1],
  ["warn", 2],
  ["info", 3],
  ["debug", 4],
  ["trace", 5],
]);

interface Directive {
  /** Empty: every target. */
  readonly target: string;
  readonly verbosity: number;
}

/**
 * Reads RUST_LOG.
 *
 * Levels are case-insensitive or digits, a target alone means all of it. Where 0.5.0 drops all
 * directives for a mistake in one, here the others hold; an empty text counts as none.
 */
export function parseLogFilter(text = ""): ParsedLogFilter {
  const directives = new Map<string, Directive>();
  const ignored: string[] = [];
  for (const part of text.split(/,(?![^[]*\])/)) {
    const source = part.trim();
    if (source === "") continue;
    const result = parseDirective(source);
    if (typeof result === "string") ignored.push(`RUST_LOG: ignoring '${source}': ${result}`);
    else directives.set(result.target, result);
  }
  if (directives.size === 0) directives.set("", { target: "", verbosity: DEFAULT_LEVEL });
  return { filter: new DirectiveFilter([...directives.values()]), ignored };
}

class DirectiveFilter implements LogFilter {
  readonly verbosest: LogLevel | null;
  readonly #directives: readonly Directive[];
  /** Targets are a handful of constants; each is looked up once. */
  readonly #known = new Map<string, number>();

  constructor(directives: Directive[]) {
    this.#directives = directives.sort((a, b) => b.target.length - a.target.length);
    const most = Math.max(...directives.map(({ verbosity }) => verbosity));
    this.verbosest = most === 0 ? null : LEVELS[most] ?? "trace";
  }

  accepts(target: string, level: LogLevel): boolean {
    let wanted = this.#known.get(target);
    if (wanted === undefined) {
      wanted = this.#directives.find((d) => target.startsWith(d.target))?.verbosity ?? 0;
      this.#known.set(target, wanted);
    }
    // "fatal" is no level of RUST_LOG; it counts as an error.
    return Math.max(1, LEVELS.indexOf(level)) <= wanted;
  }
}

function parseDirective(source: string): Directive | string {
  if (/[[\]{}]/.test(source)) return "filters by span or field are not supported";
  const [left = "", right, ...rest] = source.split("=");
  if (rest.length > 0) return "it has more than one '='";
  if (right === undefined) {
    const verbosity = readLevel(left);
    if (verbosity !== undefined) return { target: "", verbosity };
  }
  if (!/^[\w:-]+$/.test(left)) return "that is no level and no target";
  if (right === undefined && !PROGRAM.startsWith(left) && !left.startsWith(PROGRAM)) {
    return "that is no level and no part of this program";
  }
  // As there: a target without a level asks for everything.
  const verbosity = right === undefined || right === "" ? 5 : readLevel(right);
  if (verbosity === undefined) {
    return `'${right}' is no level; use error, warn, info, debug, trace or off`;
  }
  return { target: left, verbosity };
}

function readLevel(text: string): number | undefined {
  return /^[0-5]$/.test(text) ? Number(text) : VERBOSITY.get(text.toLowerCase());
}
