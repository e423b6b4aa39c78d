/**
 * Times as people write them.
 *
 * @module
 */

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * The longest time kept, in seconds: about 285,000 years. 0.5.0 takes any 64-bit number to mean
 * "never"; this is the most whose milliseconds JavaScript still counts exactly.
 */
export const MAX_SECONDS: number = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** What {@linkcode parseDuration} reads, for editors and documentation. */
export const DURATION_PATTERN = "^\\d+(?:ms|s|m|h|d)(?: ?\\d+(?:ms|s|m|h|d))*$";

const WHOLE = new RegExp(DURATION_PATTERN);

/** Seconds of `"500ms"`, `"30s"`, `"1m30s"`, `"2h"`; null when the text is not a time. */
export function parseDuration(text: string): number | null {
  if (!WHOLE.test(text)) return null;
  let milliseconds = 0;
  for (const [, digits = "", unit = ""] of text.matchAll(/(\d+)([a-z]+)/g)) {
    milliseconds += Math.round(Number(digits) * (UNITS[unit] ?? 0) * 1000);
  }
  return clampSeconds(milliseconds / 1000);
}

/** A time no longer than {@linkcode MAX_SECONDS}. */
export function clampSeconds(seconds: number): number {
  return Math.min(seconds, MAX_SECONDS);
}

/** Why a text is not a time, and what to write: `what; help`. */
export function durationProblem(text: string): string {
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) {
    return `has no unit; write ${trimmed} without quotes for seconds, or "${trimmed}s"`;
  }
  if (trimmed.startsWith("-")) return "is negative; write 0 or more";
  if (/^\d*\.\d+/.test(trimmed)) {
    return 'has a fraction; write whole numbers such as "500ms" or "1m30s"';
  }
  return 'is not a time; write seconds such as 30, or text such as "500ms", "1m30s", "2h"';
}
