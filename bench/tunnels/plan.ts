/**
 * What is to be measured, of whom, and what that takes.
 *
 * @module
 */

import { type Figure, FIGURES } from "./catalogue.ts";
import { isLine, type Load, LOADS, TUNNEL_NAMES, type TunnelName } from "./loads.ts";
import { MEMORY_FIGURES, MEMORY_SECONDS, MOST_VISITORS, SOME_SECONDS } from "./memory.ts";
import type { ProgramName } from "./programs.ts";
import type { Subject } from "./results.ts";
import { TRACE_SECONDS } from "./trace.ts";

/** The peak of a tunnel that has carried everything: no load of its own. */
export const LOAD_PEAK = "memory.load-peak";
/** How long a start takes. */
export const START = "start.first-visitor";

/** What else is measured of ours without carriers, besides HTTP and lines. */
const WITHOUT_CARRIERS = ["tcp.bulk", "tcp.bulk-cpu", "memory.visitors-1000"];

/** A run that was decided on. */
export interface Plan {
  readonly subjects: readonly Subject[];
  /** Whether they were named, so that all is measured of them that can be. */
  readonly named?: boolean;
  /** The figures that were asked for. */
  readonly figures: ReadonlySet<string>;
  readonly rounds: number;
  readonly seconds: number;
}

/** The group of a figure: what stands before the dot. */
export function groupOf(figure: string): string {
  return figure.slice(0, figure.indexOf("."));
}

/** What `--only` can name. */
export function selectable(): string[] {
  const ids = FIGURES.map(({ id }) => id);
  return [...new Set(ids.map(groupOf)), ...ids];
}

/** The figures that these groups and names mean; all of them when there are none. */
export function select(names: readonly string[]): Set<string> {
  const chosen = ({ id }: Figure) =>
    names.length === 0 || names.includes(id) || names.includes(groupOf(id));
  const figures = new Set(FIGURES.filter(chosen).map(({ id }) => id));
  const traffic = LOADS.filter(carriedByTcp);
  if (names.includes(LOAD_PEAK)) { for (const load of traffic) figures.add(load.figures[0]); }
  // After a part of the loads it would be another figure; the group alone does not ask for it.
  else if (!traffic.every((load) => asked(load, figures))) figures.delete(LOAD_PEAK);
  return figures;
}

/**
 * Whether a figure is measured of a subject at all; of one that was `named`, also a line that it is
 * not needed for.
 */
export function covers(subject: Subject, id: string, named = false): boolean {
  const group = groupOf(id);
  switch (subject) {
    case "rathole":
    case "ours":
    case "old":
      return true;
    case "channels":
      return WITHOUT_CARRIERS.includes(id) || group === "http" || isLine(group);
    case "frp":
      return isLine(group) ? named : !["tls", "noise", "ws", "wss"].includes(group);
    case "our-server":
    case "our-client":
      if (isLine(group)) return named;
      return FIGURES.find((figure) => figure.id === id)?.mixed !== undefined;
  }
}

/** The loads that one of a subject's tunnels carries. */
export function loadsOf(plan: Plan, subject: Subject, tunnel: TunnelName): Load[] {
  return LOADS.filter((load) =>
    load.tunnel === tunnel && asked(load, plan.figures) &&
    load.figures.some((figure) => covers(subject, figure, plan.named))
  );
}

/** Of these figures, those that are measured of a subject. */
export function wanted(plan: Plan, subject: Subject, figures: readonly string[]): string[] {
  return figures.filter((figure) =>
    plan.figures.has(figure) && covers(subject, figure, plan.named)
  );
}

/** Whether the memory of a subject is drawn over time: where all of its memory is measured. */
export function isTraced(plan: Plan, subject: Subject): boolean {
  return MEMORY_FIGURES.every((figure) => plan.figures.has(figure) && covers(subject, figure));
}

/** The programs without which a plan cannot be carried out. */
export function programsOf(plan: Plan): Set<ProgramName> {
  const needed = new Set<ProgramName>(["nginx"]);
  for (const load of LOADS) if (asked(load, plan.figures)) needed.add(load.program);
  for (const subject of plan.subjects) {
    if (isTraced(plan, subject)) needed.add("wrk").add("iperf3");
    if (subject === "frp") needed.add("frps").add("frpc");
    else if (!["ours", "channels", "old"].includes(subject)) needed.add("rathole");
  }
  return needed;
}

/** About how many minutes a plan takes. */
export function estimate(plan: Plan): number {
  let seconds = 0;
  for (const subject of plan.subjects) {
    for (const tunnel of TUNNEL_NAMES) {
      const loads = loadsOf(plan, subject, tunnel);
      if (loads.length > 0) seconds += 2 + new Set(loads.map(({ program }) => program)).size;
      for (const { besides = 0, most = Infinity } of loads) {
        seconds += 0.3 + Math.min(plan.seconds, most) + besides;
      }
    }
    const memory = wanted(plan, subject, MEMORY_FIGURES);
    if (memory.length > 0) {
      seconds += memory.includes(MOST_VISITORS) ? MEMORY_SECONDS : SOME_SECONDS;
    }
    if (wanted(plan, subject, [START]).length > 0) seconds += 1;
    if (isTraced(plan, subject)) seconds += TRACE_SECONDS / plan.rounds;
  }
  return seconds * plan.rounds / 60;
}

/** The subjects in the order of a round: each of them is the first in turn. */
export function orderOf(subjects: readonly Subject[], round: number): Subject[] {
  const first = round % Math.max(1, subjects.length);
  return [...subjects.slice(first), ...subjects.slice(0, first)];
}

function asked(load: Load, figures: ReadonlySet<string>): boolean {
  return load.figures.some((figure) => figures.has(figure));
}

function carriedByTcp(load: Load): boolean {
  return load.tunnel === "tcp";
}
