/**
 * Plays every scenario over every transport with every pairing of this program and rathole 0.5.0,
 * and prints what came of it as a table in Markdown. Fails where anything is not as it is known to
 * be. Arguments, if any, are the transports to look at.
 *
 * @module
 */

import type { Cell, Column, Outcome } from "../tests/support/interop.ts";
import { type InteropTransport, TRANSPORTS } from "../tests/support/interop_transports.ts";
import { buildPeer, findPeer } from "./peer.ts";

/** Cells that are played at once: the programs of more would be in each other's way. */
const AT_ONCE = Math.max(1, Math.min(4, navigator.hardwareConcurrency));

/** What failed where not even one scenario could be played. */
const NO_TUNNEL = "a tunnel at all";

const rows = TRANSPORTS.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name));
if (rows.length === 0) {
  console.error(`Transports are: ${TRANSPORTS.map(({ name }) => `"${name}"`).join(", ")}`);
  Deno.exit(2);
}
if (await findPeer() === null) {
  console.error("Building rathole 0.5.0, which takes some minutes and is needed once …");
  await buildPeer();
}
// These look for the program when they are loaded.
const { SCENARIOS } = await import("../tests/support/interop_scenarios.ts");
const { COLUMNS, playAll } = await import("../tests/support/interop.ts");
const cells = new Map<string, Cell>();
const work = rows.flatMap((row) => COLUMNS.map((column) => ({ row, column })));
const errors: string[] = [];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  for (let next = work.shift(); next !== undefined; next = work.shift()) {
    const { column, row } = next;
    cells.set(key(row, column), await play(row, column));
    console.error(`${row.name}: ${column.name}`);
  }
}));
console.log(table());
for (const error of errors) console.error(`\n${error}`);
if (errors.length > 0) Deno.exit(1);

async function play(row: InteropTransport, column: Column): Promise<Cell> {
  const outcomes = new Map<string, Outcome>();
  const failed = (what: string, error: unknown) => {
    outcomes.set(what, { result: "failed", error });
    errors.push(`${row.name}, ${column.name}, ${what}: ${error}`);
  };
  try {
    await playAll(row, column, async (name, step) => {
      try {
        const outcome = await step();
        if (outcome.result === "failed") failed(name, outcome.error);
        else outcomes.set(name, outcome);
      } catch (error) {
        failed(name, error);
      }
    });
  } catch (error) {
    failed(NO_TUNNEL, error);
  }
  return outcomes;
}

function key(row: InteropTransport, column: Column): string {
  return `${row.name}\n${column.name}`;
}

/** The table, what its marks mean, and a note for every limit that was met. */
function table(): string {
  const notes: string[] = [];
  const lines = rows.map((row) => {
    const marks = COLUMNS.map((column) => marksOf(cells.get(key(row, column)), notes));
    return `| ${[row.name, ...marks].join(" | ")} |`;
  });
  const names = SCENARIOS.map(({ name }) => name).join(", ");
  return [
    `| transport | ${COLUMNS.map(({ name }) => name).join(" | ")} |`,
    `| --- |${" --- |".repeat(COLUMNS.length)}`,
    ...lines,
    "",
    `Columns: server – client. ✓: ${names}.`,
    ...notes.map((note, i) => `\n${superscript(i)} ${note}.`),
  ].join("\n");
}

/** A cell: what failed; or that all works, but for what the notes say. */
function marksOf(cell: Cell | undefined, notes: string[]): string {
  if (cell === undefined || cell.has(NO_TUNNEL)) return `**FAILED**: ${NO_TUNNEL}`;
  const failed = SCENARIOS.filter(({ name }) => (cell.get(name)?.result ?? "failed") === "failed");
  const marks = [
    failed.length > 0 ? `**FAILED**: ${failed.map(({ name }) => name).join(", ")}` : "✓",
  ];
  const met = limits(cell).map(({ note, without }) => {
    const text = `Without ${without.join(" and ")}: ${note}`;
    if (!notes.includes(text)) notes.push(text);
    return notes.indexOf(text);
  });
  return [...marks, ...met.sort((a, b) => a - b).map(superscript)].join(" ");
}

/** The limits that a cell has met, with the scenarios in which it did. */
function limits(cell: Cell): { note: string; without: string[] }[] {
  const met = new Map<string, string[]>();
  for (const [name, outcome] of cell) {
    if (outcome.result === "limit") met.set(outcome.note, [...met.get(outcome.note) ?? [], name]);
  }
  return Array.from(met, ([note, without]) => ({ note, without }));
}

function superscript(index: number): string {
  return "¹²³⁴⁵⁶⁷⁸⁹"[index] ?? `[${index + 1}]`;
}
