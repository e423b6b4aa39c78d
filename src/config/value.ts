/**
 * Values before they are validated: what a TOML file or an embedding program handed in.
 *
 * @module
 */

import { Secret } from "../runtime/secret.ts";
import { type Path, quote } from "./problem.ts";

/**
 * A TOML value that no key of ours takes and that JavaScript would confuse with one it does: a
 * float (3.0 is not the integer 3), a date, an array of tables, an integer beyond 64 bits.
 */
export class ForeignValue {
  /** What it is, with an article: `a float`. */
  readonly kind: string;
  /** As it was written, where that is short and can hold no secret. */
  readonly text: string | undefined;

  /** Takes what it is and how it was written. */
  constructor(kind: string, text?: string) {
    this.kind = kind;
    this.text = text;
  }
}

/** A table: a plain object, or a Map as embedding programs may use for services. */
export type Table = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

/** Whether a value is a table rather than a scalar, an array or an object of some class. */
export function isTable(value: unknown): value is Table {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Names and values of a table. A key that is `undefined` counts as not written. */
export function entriesOf(table: Table): [name: string, value: unknown][] {
  const entries = table instanceof Map ? [...table] : Object.entries(table);
  return entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [String(name), value]);
}

/** What stands at a path below a value, in arrays by index; `undefined` where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const name of path) {
    if (Array.isArray(value)) {
      value = value[Number(name)];
      continue;
    }
    if (!isTable(value)) return undefined;
    if (value instanceof Map) value = value.get(name);
    else value = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  }
  return value;
}

/** The text of a string or secret; undefined for other values. */
export function textOf(value: unknown): string | undefined {
  if (value instanceof Secret) return value.reveal();
  return typeof value === "string" ? value : undefined;
}

/** What a value is, for "is …": `text`, `a number`, `a float`, `a table`. */
export function describe(value: unknown): string {
  if (value instanceof ForeignValue) return value.kind;
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Secret) return "a secret";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
    case "bigint":
      return "a number";
    case "boolean":
      return "a boolean";
    case "object":
      return isTable(value) ? "a table" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

/**
 * A scalar as TOML, on one line; `undefined` for everything that could hide more than it shows. A
 * URL with a user in it is masked wherever it stands.
 */
export function show(value: unknown): string | undefined {
  if (value instanceof ForeignValue) return value.text;
  if (typeof value === "string" && /\/\/.*@/s.test(value)) return "***";
  if (typeof value === "string") return quote(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
