/**
 * Which columns the tables have.
 *
 * @module
 */

import type { Figure } from "../catalogue.ts";
import { isLine } from "../loads.ts";
import { groupOf } from "../plan.ts";
import type { Results, Subject } from "../results.ts";
import type { Table } from "./layout.ts";
import {
  channelsVerdictOf,
  measured,
  mixedVerdictOf,
  ratio,
  sideOfOne,
  valuesOf,
  type Verdict,
  verdictOf,
} from "./statistics.ts";
import {
  channelsGoalText,
  goalText,
  medianText,
  mixedGoalText,
  nameOf,
  NOTHING,
  ratioText,
  titled,
} from "./wording.ts";

/** One of ours with rathole at the other end. */
export const PAIRINGS = ["our-server", "our-client"] as const;
/** Ours with carriers and without, and what both are measured by. */
export const SIDES = ["rathole", "ours", "channels"] as const;
/** Programs with both ends of their own. */
export const PROGRAMS = ["rathole", "ours", "frp"] as const;

/** The figures of which at least one of these subjects has a value. */
export function shown(
  results: Results,
  figures: readonly Figure[],
  subjects: readonly Subject[],
): readonly Figure[] {
  return figures.filter(({ id }) => subjects.some((it) => valuesOf(results, id, it).size > 0));
}

/**
 * The programs beside each other, those that have values; `wide` has whole names, and a ratio for
 * frp.
 */
export function programTable(results: Results, figures: readonly Figure[], wide: boolean): Table {
  const there = PROGRAMS.filter((it) => shown(results, figures, [it]).length > 0);
  const has = (program: Subject) => (there as readonly Subject[]).includes(program);
  const compared = (["ours", "frp"] as const)
    .filter((it) => has(it) && has("rathole") && (wide || it === "ours"));
  return {
    head: [
      "figure",
      "unit",
      ...wide ? there.map(nameOf) : there,
      ...compared.map((it) => `${it} ÷ rathole`),
      "goal",
      "reached",
    ],
    rows: titled(shown(results, figures, PROGRAMS)).map(([title, figure]) => [
      title,
      figure.unit,
      ...there.map((it) => medianText(measured(results, figure.id, it))),
      ...compared.map((it) => ratioText(ratio(results, figure.id, it))),
      goalText(figure),
      wordOf(verdictOf(results, figure)),
    ]),
    left: ["unit", "goal", "reached"],
  };
}

/**
 * Ours with carriers beside ours without, where the latter is measured, or on lines any of them;
 * `wide` has titles, whole names, and the goals of ours with carriers.
 */
export function sidesTable(results: Results, figures: readonly Figure[], wide: boolean): Table {
  const without = wide ? "carriers = 0" : "channels";
  const found = [
    ...shown(results, figures, ["channels"]),
    ...shown(results, figures.filter(({ id }) => isLine(groupOf(id))), SIDES),
  ];
  return {
    head: [
      "figure",
      "unit",
      ...wide ? SIDES.map(nameOf) : SIDES,
      "ours ÷ rathole",
      ...wide ? ["goal", "reached"] : [],
      `${without} ÷ rathole`,
      "goal",
      "reached",
    ],
    rows: titled(figures.filter((figure) => found.includes(figure))).map(([title, figure]) => [
      wide ? title : figure.id,
      figure.unit,
      ...SIDES.map((it) => medianText(measured(results, figure.id, it))),
      ratioText(ratio(results, figure.id, "ours")),
      ...wide ? [goalText(figure), wordOf(verdictOf(results, figure))] : [],
      ratioText(ratio(results, figure.id, "channels")),
      channelsGoalText(figure),
      wordOf(channelsVerdictOf(results, figure)),
    ]),
    left: ["unit", "goal", "reached"],
  };
}

/** The pairings of one of ours and one of rathole; `wide` has titles, and rathole itself. */
export function mixedTable(results: Results, figures: readonly Figure[], wide: boolean): Table {
  return {
    head: [
      "figure",
      "unit",
      ...wide ? [nameOf("rathole")] : [],
      ...PAIRINGS.flatMap((it) => [wide ? nameOf(it) : it, "÷ rathole"]),
      "goal",
      "reached",
    ],
    rows: titled(shown(results, figures, PAIRINGS)).map(([title, figure]) => [
      wide ? title : figure.id,
      figure.unit,
      ...wide ? [medianText(measured(results, figure.id, "rathole"))] : [],
      ...PAIRINGS.flatMap((it) => [
        medianText(measured(results, figure.id, it)),
        ratioText(ratio(results, figure.id, it)),
      ]),
      mixedGoalText(figure),
      wordOf(mixedVerdictOf(results, figure)),
    ]),
    left: ["unit", "goal", "reached"],
  };
}

/** Ours beside the other checkout, measured in the same rounds. */
export function oldTable(results: Results, figures: readonly Figure[]): Table {
  return {
    head: ["figure", "unit", "old", "ours", "ours ÷ old", "ours is"],
    rows: titled(shown(results, figures, ["old"])).map(([title, figure]) => {
      const quotient = ratio(results, figure.id, "ours", "old");
      return [
        title,
        figure.unit,
        medianText(measured(results, figure.id, "old")),
        medianText(measured(results, figure.id, "ours")),
        ratioText(quotient),
        quotient === null ? NOTHING : sideOfOne(figure, quotient),
      ];
    }),
    left: ["unit", "ours is"],
  };
}

function wordOf(verdict: Verdict): string {
  return verdict === "none" ? NOTHING : verdict;
}
