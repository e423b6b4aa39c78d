/**
 * The first look at a configuration: are tables where tables belong, and are their keys known? The
 * schema judges single values after that.
 *
 * @module
 */

import { error, type Finding } from "./finding.ts";
import { formatKey, type Path } from "./problem.ts";
import type { Shape } from "./shape.ts";
import { unknownKey } from "./unknown_key.ts";
import { describe, entriesOf, isTable, valueAt } from "./value.ts";

/** What the first look found. */
export interface Structure {
  /** Unknown keys, and values of another kind where tables belong. */
  readonly findings: readonly Finding[];
  /** Paths, formatted, at and below which nothing more is worth saying. */
  readonly closed: ReadonlySet<string>;
}

/** Compares a value with the shape it should have. */
export function checkStructure(value: unknown, shape: Shape, path: Path): Structure {
  const findings: Finding[] = [];
  const closed = new Set<string>();
  visit(value, shape, path);
  return { findings, closed };

  function visit(value: unknown, shape: Shape, path: Path): void {
    if (value === undefined || !isTableShape(shape)) return;
    if (!isTable(value)) {
      closed.add(formatKey(path));
      findings.push(
        error(path, `is ${describe(value)}; write it as a table, [${header(path, shape)}]`),
      );
      return;
    }
    const entries = entriesOf(value);
    for (const [name, inner] of entries) {
      const known = shape.each ?? shape.keys?.get(name);
      if (known !== undefined) {
        visit(inner, known, [...path, name]);
        continue;
      }
      const { sentence, meant } = unknownKey(path, name, inner);
      findings.push(error([...path, name], sentence));
      if (meant !== undefined && valueAt(value, [meant]) === undefined) {
        closed.add(formatKey([...path, meant]));
      }
    }
    // [client.services.my.ssh] makes a service "my" of which nothing else is written: the one
    // remark about the dot is enough, that "my" lacks everything is only noise.
    const strays = entries.filter(([name, inner]) => !shape.keys?.has(name) && isTable(inner));
    const service = path.at(-2) === "services";
    if (service && strays.length > 0 && strays.length === entries.length) {
      closed.add(formatKey(path));
    }
  }
}

/** Whether a path is at or below one that was closed. */
export function isClosed(structure: Structure, path: Path): boolean {
  if (structure.closed.size === 0) return false;
  return path.some((_, i) => structure.closed.has(formatKey(path.slice(0, i + 1))));
}

function isTableShape({ keys, each, kind }: Shape): boolean {
  return keys !== undefined || each !== undefined && kind !== "list";
}

function header(path: Path, shape: Shape): string {
  return formatKey(shape.each?.keys === undefined ? path : [...path, "NAME"]);
}
