/**
 * TOML text to values and positions. Every key ever mentioned has a place, so that every problem
 * can say where to look.
 *
 * @module
 */

import { type AST, parseTOML } from "toml-eslint-parser";
import { formatKey, type Path } from "./problem.ts";
import { ForeignValue } from "./value.ts";

/** A place in the text: line and column from 1, the column in UTF-16 units. */
export interface Position {
  /** Line from 1. */
  readonly line: number;
  /** Column from 1. */
  readonly column: number;
}

/** A TOML file's values, and where they came from. */
export interface TomlDocument {
  /** The values: plain objects without prototype, so that every name is only a name. */
  readonly root: MutableTable;
  /** Where a key, as `formatKey` writes it, or a table's header is; undefined when not there. */
  position(key: string): Position | undefined;
}

/** A table being filled. */
export interface MutableTable {
  [name: string]: unknown;
}

/**
 * Reads TOML 1.1.
 *
 * @throws {import("toml-eslint-parser").ParseError} on the first error of syntax.
 * @throws {RangeError} for arrays or tables nested too deep to follow.
 */
export function readToml(text: string): TomlDocument {
  const program = parseTOML(text, { tomlVersion: "1.1" });
  const reader = new Reader();
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") reader.keyValue(reader.root, [], node);
    else reader.table(node);
  }
  return reader;
}

class Reader implements TomlDocument {
  readonly root: MutableTable = emptyTable();
  readonly #positions = new Map<string, { position: Position; header: boolean }>();

  position(key: string): Position | undefined {
    return this.#positions.get(key)?.position;
  }

  /** `[a.b]` or `[[a.b]]`, and the keys below it. */
  table(node: AST.TOMLTable): void {
    const keys = node.key.keys;
    const path = keys.map(nameOf);
    if (node.kind === "array") {
      const parent = this.#descend(this.root, [], keys.slice(0, -1));
      this.#mark(path, node.loc.start, true);
      if (parent !== undefined) parent[path.at(-1) ?? ""] = new ForeignValue("an array of tables");
      return;
    }
    const table = this.#descend(this.root, [], keys);
    this.#mark(path, node.loc.start, true);
    if (table === undefined) return;
    for (const entry of node.body) this.keyValue(table, path, entry);
  }

  /** `a.b = value` below a table. */
  keyValue(table: MutableTable, above: Path, node: AST.TOMLKeyValue): void {
    const keys = node.key.keys;
    const last = keys.at(-1);
    const parent = this.#descend(table, above, keys.slice(0, -1));
    if (last === undefined || parent === undefined) return;
    const path = [...above, ...keys.map(nameOf)];
    this.#mark(path, last.loc.start, false);
    parent[nameOf(last)] = this.#value(path, node.value);
  }

  #value(path: Path, node: AST.TOMLContentNode): unknown {
    switch (node.type) {
      case "TOMLInlineTable": {
        const table = emptyTable();
        for (const entry of node.body) this.keyValue(table, path, entry);
        return table;
      }
      case "TOMLArray":
        return node.elements.map((element, i) => {
          const entry = [...path, String(i)];
          this.#mark(entry, element.loc.start, false);
          return this.#value(entry, element);
        });
      case "TOMLValue":
        return scalar(node);
    }
  }

  /** Follows keys, making the tables that are not there yet; undefined below what is no table. */
  #descend(from: MutableTable, above: Path, keys: AST.TOMLKey["keys"]): MutableTable | undefined {
    let table = from;
    const path = [...above];
    for (const key of keys) {
      const name = nameOf(key);
      path.push(name);
      this.#mark(path, key.loc.start, false);
      const next = table[name] ??= emptyTable();
      if (!isMutableTable(next)) return undefined;
      table = next;
    }
    return table;
  }

  /** Remembers where a key stands: its first mention, or better the header of its own table. */
  #mark(path: Path, start: { line: number; column: number }, header: boolean): void {
    const key = formatKey(path);
    const known = this.#positions.get(key);
    if (known !== undefined && (known.header || !header)) return;
    this.#positions.set(key, {
      position: { line: start.line, column: start.column + 1 },
      header,
    });
  }
}

function emptyTable(): MutableTable {
  const table: MutableTable = Object.create(null);
  return table;
}

function isMutableTable(value: unknown): value is MutableTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof ForeignValue);
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

const MAX_INTEGER = 2n ** 63n - 1n;
const MIN_INTEGER = -(2n ** 63n);

function scalar(node: AST.TOMLValue): unknown {
  switch (node.kind) {
    case "string":
    case "boolean":
      return node.value;
    case "float":
      return new ForeignValue("a float", node.number);
    case "integer":
      if (node.bigint > MAX_INTEGER || node.bigint < MIN_INTEGER) {
        return new ForeignValue("an integer of more than 64 bits");
      }
      return Math.max(
        Math.min(Number(node.bigint), Number.MAX_SAFE_INTEGER),
        -Number.MAX_SAFE_INTEGER,
      );
    default:
      return new ForeignValue("a date or time", node.datetime);
  }
}
