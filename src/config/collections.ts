/**
 * Keys that hold several values: tables whose names are free, and arrays.
 *
 * @module
 */

import * as v from "valibot";
import { type FieldInfo, instead } from "./fields.ts";
import type { ServicesOption } from "./options.ts";
import { isTable } from "./value.ts";

/**
 * A table of values by name; `name` judges the names. It becomes a Map before each value is looked
 * at, since valibot's record leaves out names such as `constructor`.
 */
export function named<Each extends v.GenericSchema>(
  name: v.GenericSchema<string>,
  each: Each,
  description: string,
  info: FieldInfo = {},
) {
  type Input = ServicesOption<v.InferInput<Each>>;
  return v.pipe(
    v.custom<Input>(isTable),
    v.description(description),
    v.metadata({ ...info, kind: "named", each } satisfies FieldInfo),
    v.transform((input): Map<string, v.InferInput<Each>> =>
      new Map(input instanceof Map ? input : Object.entries(input))
    ),
    v.map(name, each),
  );
}

/** An array of values of one kind; `example` is one as TOML. */
export function list<Each extends v.GenericSchema>(
  each: Each,
  description: string,
  info: FieldInfo & { readonly example: string },
) {
  return v.pipe(
    v.array(each, instead(`write an array such as ${info.example}`)),
    v.description(description),
    v.metadata({ ...info, kind: "list", each } satisfies FieldInfo),
  );
}
