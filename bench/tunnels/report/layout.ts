/**
 * Tables as text: for a terminal, and in Markdown as the formatter leaves them.
 *
 * @module
 */

/** A table: its first column is words, the others what `left` does not name are numbers. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns besides the first that are aligned to the left. */
  readonly left?: readonly string[];
}

/** Columns two spaces apart, and nothing else. */
export function plainTable(table: Table): string {
  const widths = widthsOf(table, 0);
  return [table.head, ...table.rows]
    .map((row) => padded(row, table, widths).join("  ").trimEnd())
    .join("\n");
}

/** Markdown, padded. */
export function markdownTable(table: Table): string {
  const widths = widthsOf(table, 3);
  const rule = widths.map((width, i) =>
    isLeft(table, i) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  const rows = [table.head, ...table.rows].map((row) => padded(row, table, widths));
  rows.splice(1, 0, rule);
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function widthsOf({ head, rows }: Table, least: number): readonly number[] {
  return head.map((_, i) =>
    Math.max(least, ...[head, ...rows].map((row) => [...row[i] ?? ""].length))
  );
}

function padded(
  row: readonly string[],
  table: Table,
  widths: readonly number[],
): readonly string[] {
  return row.map((cell, i) => {
    const width = widths[i] ?? 0;
    return isLeft(table, i) ? cell.padEnd(width) : cell.padStart(width);
  });
}

function isLeft({ head, left = [] }: Table, index: number): boolean {
  return index === 0 || left.includes(head[index] ?? "");
}
