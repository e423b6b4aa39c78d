/**
 * Numbers, names and headings as tables and pictures write them.
 *
 * @module
 */

import { type Figure, FIGURES } from "../catalogue.ts";
import { type Results, type Subject, SUBJECTS } from "../results.ts";
import type { Spread } from "./statistics.ts";

/** What stands where nothing was measured. */
export const NOTHING = "–";

/** Which figures stand in one table, by the first part of their names. */
export const GROUPS = {
  tcp: ["tcp"],
  http: ["http"],
  udp: ["udp"],
  transports: ["tls", "noise", "ws", "wss"],
  carriers: ["mixed"],
  lines: ["delay", "loss"],
  memory: ["memory", "start"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A table's name. */
export type Group = keyof typeof GROUPS;

/** The figures of a group, in the catalogue's order. */
export function figuresOf(group: Group): readonly Figure[] {
  const heads: readonly string[] = GROUPS[group];
  return FIGURES.filter(({ id }) => heads.includes(id.split(".")[0] ?? ""));
}

/**
 * The figures with their titles. In the catalogue a title that begins with `…` goes on from one
 * above it; where that one is not among these, it is written out.
 */
export function titled(figures: readonly Figure[]): readonly (readonly [string, Figure])[] {
  return figures.map((figure) => {
    const head = FIGURES.slice(0, FIGURES.indexOf(figure) + 1)
      .findLast(({ title }) => !title.startsWith("…"));
    const whole = head === undefined || figures.includes(head) || !figure.title.startsWith("…");
    return [whole ? figure.title : `${head.title} ${figure.title}`, figure];
  });
}

/** What tables and pictures call a subject. */
export function nameOf(subject: Subject): string {
  return SUBJECTS[subject];
}

/** A value with three digits that count, or all that stand before the point. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
  if (value === 0) return "0";
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A median. */
export function medianText(spread: Spread | null): string {
  return spread === null ? NOTHING : numberText(spread.median);
}

/** A ratio, with the lowest and the highest of all rounds where there were several. */
export function ratioText(spread: Spread | null): string {
  if (spread === null) return NOTHING;
  const { count, max, median, min } = spread;
  const [middle, low, high] = [median, min, max].map(shareText);
  return count < 2 ? `${middle}` : `${middle} (${low}–${high})`;
}

/** A ratio on its own: two digits after the point, three where it is less than 1. */
function shareText(share: number): string {
  return share >= 100 ? share.toFixed(0) : share.toFixed(share < 1 ? 3 : 2);
}

/** By how much something is larger, in percent with its sign. */
export function percentText(share: number): string {
  const percent = (share - 1) * 100;
  if (!Number.isFinite(percent)) return NOTHING;
  const text = Math.abs(percent).toFixed(Math.abs(percent) < 99.95 ? 1 : 0);
  return `${percent < 0 ? "−" : "+"}${text} %`;
}

/** What is aimed for: a ratio as it stands, an absolute goal with its unit. */
export function goalText(
  { absolute, better, goal, unit }: Pick<Figure, "absolute" | "better" | "goal"> & Partial<Figure>,
): string {
  const sign = better === "higher" ? "≥" : "≤";
  const goals = [
    ...goal === undefined ? [] : [`${sign} ${goal}`],
    ...absolute === undefined ? [] : [`${sign} ${absolute} ${unit}`],
  ];
  return goals.length === 0 ? NOTHING : goals.join(", ");
}

/** What is aimed for with rathole at one end. */
export function mixedGoalText({ better, mixed }: Figure): string {
  return goalText({ better, ...mixed === undefined ? {} : { goal: mixed } });
}

/** What is aimed for without carriers. */
export function channelsGoalText({ better, channels }: Figure): string {
  return goalText({ better, ...channels === undefined ? {} : { goal: channels } });
}

/** When it was, to the minute. */
export function dateText({ started }: Results): string {
  return `${started.slice(0, 10)} ${started.slice(11, 16)} UTC`;
}

/** What it was made on. */
export function machineText({ machine }: Results): string {
  const { cores, cpu, kernel, memory } = machine;
  return `${cpu}, ${countText(cores, "core")}, ${Number(memory.toFixed(1))} GiB, ${kernel}`;
}

/** Each program, or each of these, with its version. */
export function versionsText({ versions }: Results, only?: readonly string[]): string {
  const wanted = only?.map((it) => it.toLowerCase());
  return Object.entries(versions)
    .filter(([program]) => wanted?.includes(program.toLowerCase()) ?? true)
    .map(([program, version]) => `${program} ${version}`)
    .join(", ");
}

/** A number of something, with the word as it then is. */
export function countText(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** How long it took. */
export function minutesText({ minutes }: Results): string {
  return minutes < 0.5 ? "less than a minute" : countText(Math.round(minutes), "minute");
}

/** How often, and how long, each value was measured. */
export function roundsText({ rounds, seconds }: Results): string {
  return `${countText(rounds, "round")}, rates over ${seconds} s each`;
}
