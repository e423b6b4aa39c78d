/**
 * A run as tables: all of it for a terminal, group by group for the documentation.
 *
 * @module
 */

import { FIGURES } from "../catalogue.ts";
import { type Results, type Subject, SUBJECTS } from "../results.ts";
import { mixedTable, oldTable, PAIRINGS, programTable, shown, sidesTable } from "./columns.ts";
import { markdownTable, plainTable, type Table } from "./layout.ts";
import { channelsVerdictOf, mixedVerdictOf, valuesOf, verdictOf } from "./statistics.ts";
import {
  dateText,
  figuresOf,
  type Group,
  machineText,
  minutesText,
  nameOf,
  roundsText,
  versionsText,
} from "./wording.ts";

const SUBJECT_NAMES = Object.keys(SUBJECTS) as Subject[];

/**
 * The run in a terminal: what it was made on, every figure, and which goals are missed. A run of
 * ours beside the other checkout, without rathole, has no table of programs besides.
 */
export function summarise(results: Results): string {
  const has = (subject: Subject) => shown(results, FIGURES, [subject]).length > 0;
  const twoOfAKind = has("rathole")
    ? "Two of a kind; medians, and ratios round by round:"
    : "Two of a kind; medians:";
  const sections: readonly (readonly [string, Table])[] = [
    ...has("old") && !has("rathole")
      ? []
      : [[twoOfAKind, programTable(results, FIGURES, false)] as const],
    ...has("channels")
      ? [["With carriers, and without:", sidesTable(results, FIGURES, false)] as const]
      : [],
    ["One of ours, and rathole at the other end:", mixedTable(results, FIGURES, false)],
    [`Ours beside ${nameOf("old")}:`, oldTable(results, FIGURES)],
  ];
  const gaps = gapsOf(results);
  const filled = sections.filter(([, { rows }]) => rows.length > 0);
  return [
    `${dateText(results)}, ${roundsText(results)}, load before: ${results.load.toFixed(2)}`,
    machineText(results),
    versionsText(results),
    ...filled.flatMap(([title, table]) => ["", title, "", plainTable(table)]),
    "",
    ...filled.length === 0 ? ["Nothing was measured."] : goalsText(results),
    ...gaps.length === 0 ? [] : [`Not in every round: ${gaps.join(", ")}`],
    "",
  ].join("\n");
}

/** A group's table in Markdown; empty when nothing of it was measured. */
export function groupMarkdown(results: Results, group: Group): string {
  return filledMarkdown(programTable(results, figuresOf(group), true));
}

/** The pairings with rathole at one end, in Markdown; empty when there were none. */
export function mixedMarkdown(results: Results): string {
  return filledMarkdown(mixedTable(results, FIGURES, true));
}

/**
 * Ours with carriers beside ours without, in Markdown: over loopback, or over lines with delay and
 * loss. Empty when nothing of it was measured.
 */
export function sidesMarkdown(results: Results, part: "carriers" | "lines"): string {
  const lines = figuresOf("lines");
  const figures = part === "lines" ? lines : FIGURES.filter((it) => !lines.includes(it));
  return filledMarkdown(sidesTable(results, figures, true));
}

/** What the run was made on, in Markdown. */
export function conditionsMarkdown(results: Results): string {
  const gaps = gapsOf(results);
  return markdownTable({
    head: ["run", ""],
    rows: [
      ["begun", `${dateText(results)}; it took ${minutesText(results)}`],
      ["machine", machineText(results)],
      ["programs", versionsText(results)],
      ["how often", roundsText(results)],
      ["load average before", results.load.toFixed(2)],
      ...gaps.length === 0 ? [] : [["not in every round", gaps.join(", ")]],
    ],
    left: [""],
  });
}

/** How many goals something was measured for, and which of them are missed; empty when for none. */
function goalsText(results: Results): readonly string[] {
  const verdicts = FIGURES.flatMap((figure) => [
    [figure.id, verdictOf(results, figure)],
    [`${figure.id} (channels)`, channelsVerdictOf(results, figure)],
    ...PAIRINGS.map((it) => [`${figure.id} (${it})`, mixedVerdictOf(results, figure, [it])]),
  ]);
  const missed = verdicts.filter(([, verdict]) => verdict === "missed").map(([id]) => id);
  const met = verdicts.filter(([, verdict]) => verdict === "met").length;
  const text = `${met} of ${met + missed.length} goals are reached`;
  if (met + missed.length === 0) return [];
  return [missed.length === 0 ? `${text}.` : `${text}; missed:\n  ${missed.join("\n  ")}`];
}

/** What has values, but not of every round: the rest has failed. */
function gapsOf(results: Results): readonly string[] {
  return FIGURES.flatMap(({ id }) =>
    SUBJECT_NAMES.flatMap((subject) => {
      const { size } = valuesOf(results, id, subject);
      const whole = size === 0 || size >= results.rounds;
      return whole ? [] : [`${id} (${subject}: ${size} of ${results.rounds})`];
    })
  );
}

function filledMarkdown(table: Table): string {
  return table.rows.length === 0 ? "" : markdownTable(table);
}
