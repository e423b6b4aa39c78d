/**
 * Two runs beside each other: what became better or worse, and what is only noise.
 *
 * @module
 */

import { FIGURES } from "../catalogue.ts";
import type { Results } from "../results.ts";
import { plainTable } from "./layout.ts";
import { changeOf, measured, ratio } from "./statistics.ts";
import {
  countText,
  dateText,
  machineText,
  medianText,
  NOTHING,
  percentText,
  ratioText,
} from "./wording.ts";

/**
 * What became of each figure that both runs have. Two runs saw different neighbours on the machine,
 * so what a change is judged by is not ours then and now, but ours ÷ rathole then and now.
 */
export function compare(old: Results, now: Results): string {
  const rows = FIGURES.flatMap((figure) => {
    const [from, to] = [measured(old, figure.id, "ours"), measured(now, figure.id, "ours")];
    if (from === null || to === null) return [];
    const [before, after] = [ratio(old, figure.id, "ours"), ratio(now, figure.id, "ours")];
    return [[
      figure.id,
      figure.unit,
      medianText(from),
      medianText(to),
      percentText(to.median / from.median),
      ratioText(before),
      ratioText(after),
      ...before === null || after === null ? [NOTHING, "no ratio"] : [
        percentText(after.median / before.median),
        changeOf(figure, before, after),
      ],
    ]];
  });
  return [
    `Then: ${runText(old)}`,
    `Now:  ${runText(now)}`,
    ...differences(old, now).map((it) => `Not alike: ${it}.`),
    "",
    rows.length === 0 ? "No figure is in both." : plainTable({
      head: [
        "ours",
        "unit",
        "then",
        "now",
        "change",
        "÷ rathole, then",
        "÷ rathole, now",
        "change",
        "it is",
      ],
      rows,
      left: ["unit", "it is"],
    }),
    "",
    "The second change is the one to trust: it is of the ratios, whose two sides were measured in",
    "the same rounds. Within noise: the ratios of the two runs overlap.",
    "",
  ].join("\n");
}

function runText(results: Results): string {
  const commit = results.versions["rathole for Deno"];
  const ours = commit === undefined ? "" : `, rathole for Deno ${commit}`;
  return `${dateText(results)}, ${countText(results.rounds, "round")}${ours}`;
}

/** What makes even ratios of the two runs hard to compare. */
function differences(old: Results, now: Results): readonly string[] {
  const found: string[] = [];
  if (machineText(old) !== machineText(now)) {
    found.push(`the machine, ${machineText(old)}, and ${machineText(now)}`);
  }
  if (old.seconds !== now.seconds) found.push(`rates over ${old.seconds} s, and ${now.seconds} s`);
  for (const program of Object.keys(old.versions)) {
    const [from, to] = [old.versions[program], now.versions[program]];
    if (program === "rathole for Deno" || to === undefined || from === to) continue;
    found.push(`${program} ${from}, and ${to}`);
  }
  return found;
}
