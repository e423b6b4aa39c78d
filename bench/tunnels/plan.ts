/**
 * What is to be measured, of whom, and what that takes.
 *
 * @module
 */

import { type Figure, FIGURES } from "./catalogue.ts";
import { UDP_SECONDS } from "./context.ts";
import { type Load, LOADS } from "./loads.ts";
import { MEMORY_FIGURES, MEMORY_SECONDS } from "./memory.ts";
import type { ProgramName } from "./programs.ts";
import type { Subject } from "./results.ts";
import { TRACE_SECONDS } from "./trace.ts";
import type { TransportName } from "./tunnel.ts";

/** The peak of a tunnel that has carried everything: no load of its own. */
export const LOAD_PEAK = "memory.load-peak";
/** How long a start takes. */
export const START = "start.first-visitor";

/** A run that was decided on. */
export interface Plan {
  readonly subjects: readonly Subject[];
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

/** Whether a figure is measured of a subject at all. */
export function covers(subject: Subject, id: string): boolean {
  if (subject === "frp") return !["tls", "noise", "ws", "wss"].includes(groupOf(id));
  if (subject !== "our-server" && subject !== "our-client") return true;
  return FIGURES.find((figure) => figure.id === id)?.mixed !== undefined;
}

/** The loads that a subject's tunnel of a transport carries. */
export function loadsOf(plan: Plan, subject: Subject, transport: TransportName): Load[] {
  return LOADS.filter((load) =>
    load.transport === transport && asked(load, plan.figures) &&
    load.figures.some((figure) => covers(subject, figure))
  );
}

/** Of these figures, those that are measured of a subject. */
export function wanted(plan: Plan, subject: Subject, figures: readonly string[]): string[] {
  return figures.filter((figure) => plan.figures.has(figure) && covers(subject, figure));
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
    else if (subject !== "ours" && subject !== "old") needed.add("rathole");
  }
  return needed;
}

/** About how many minutes a plan takes. */
export function estimate(plan: Plan): number {
  let seconds = 0;
  for (const subject of plan.subjects) {
    for (const transport of ["tcp", "tls", "noise", "ws", "wss"] as const) {
      const loads = loadsOf(plan, subject, transport);
      if (loads.length > 0) seconds += 2 + new Set(loads.map(({ program }) => program)).size;
      for (const load of loads) {
        const isUdp = groupOf(load.figures[0]) === "udp";
        seconds += 0.3 + (isUdp ? Math.min(plan.seconds, UDP_SECONDS) + 0.5 : plan.seconds);
      }
    }
    if (wanted(plan, subject, MEMORY_FIGURES).length > 0) seconds += MEMORY_SECONDS;
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
  return load.transport === "tcp";
}
