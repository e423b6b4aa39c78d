/**
 * The schema as a plain tree: which keys there are, and what is known about each. Messages, the
 * search for unknown keys and the documentation's reference read it.
 *
 * @module
 */

import * as v from "valibot";
import type { FieldInfo } from "./fields.ts";
import type { Path } from "./problem.ts";
import { configSchema } from "./schema.ts";

/** One key of the configuration. */
export interface Shape extends Omit<FieldInfo, "each"> {
  /** What it is for. */
  readonly description: string;
  /** Whether it must be written. */
  readonly required: boolean;
  /** Its value when it is not written, if that does not depend on other keys. */
  readonly default?: unknown;
  /** For a table: its keys. */
  readonly keys?: ReadonlyMap<string, Shape>;
  /** For a table of named entries, or an array (`kind` is `list`): what each looks like. */
  readonly each?: Shape;
}

/** The stand-in for any name in a path through the shape. */
export const ANY_NAME = "*";

/** The whole file. */
export const fileShape: Shape = shapeOf(configSchema);

/** The shape at a path, or undefined for a key that is not known. */
export function shapeAt(path: Path): Shape | undefined {
  let shape: Shape | undefined = fileShape;
  for (const name of path) shape = shape?.each ?? shape?.keys?.get(name);
  return shape;
}

/** A path with names of free choice replaced by {@linkcode ANY_NAME}. */
export function pattern(path: Path): Path {
  let shape: Shape | undefined = fileShape;
  return path.map((name) => {
    const general = shape?.each === undefined ? name : ANY_NAME;
    shape = shape?.each ?? shape?.keys?.get(name);
    return general;
  });
}

/** Every key of every table, with the tables' paths in {@linkcode pattern} form. */
export function* everyKey(shape = fileShape, table: Path = []): Generator<[Path, string, Shape]> {
  for (const [name, inner] of shape.keys ?? []) {
    yield [table, name, inner];
    yield* everyKey(inner, [...table, name]);
  }
  if (shape.each !== undefined) yield* everyKey(shape.each, [...table, ANY_NAME]);
}

function shapeOf(schema: v.GenericSchema): Shape {
  const optional = isOptional(schema) ? schema : undefined;
  const inner = optional?.wrapped ?? schema;
  const { each, ...info }: FieldInfo = v.getMetadata(inner);
  const keys = isObject(inner)
    ? new Map(Object.entries(inner.entries).map(([name, entry]) => [name, shapeOf(entry)]))
    : undefined;
  return {
    ...info,
    description: v.getDescription(inner) ?? "",
    required: optional === undefined,
    ...(optional?.default === undefined ? {} : { default: optional.default }),
    ...(keys === undefined ? {} : { keys }),
    ...(each === undefined ? {} : { each: shapeOf(each) }),
  };
}

function isOptional(
  schema: v.GenericSchema,
): schema is v.OptionalSchema<v.GenericSchema, unknown> {
  return schema.type === "optional";
}

function isObject(
  schema: v.GenericSchema,
): schema is v.ObjectSchema<Record<string, v.GenericSchema>, undefined> {
  return schema.type === "object";
}
