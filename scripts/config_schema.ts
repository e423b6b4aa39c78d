/**
 * Writes `docs/config.schema.json`, which editors use to complete and check configuration files
 * (`#:schema` in the first line). With `--check` it only says whether the file is current.
 *
 * Run by: deno run --allow-read=docs --allow-write=docs scripts/config_schema.ts [--check]
 *
 * @module
 */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { DURATION_PATTERN } from "../src/config/duration.ts";
import type { FieldInfo } from "../src/config/fields.ts";
import { configSchema } from "../src/config/schema.ts";

const FILE = new URL("../docs/config.schema.json", import.meta.url);

/** The JSON schema of a configuration file, as text. */
export function schemaText(): string {
  const schema = {
    ...convert(configSchema),
    title: "rathole configuration",
    description: "A rathole server, a client, or both.",
    anyOf: [{ required: ["server"] }, { required: ["client"] }],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function convert(schema: v.GenericSchema): JsonSchema {
  return toJsonSchema(schema, {
    target: "draft-07",
    typeMode: "input",
    // Checks in code: what of them can be said in JSON schema, the kind below says.
    ignoreActions: ["raw_check"],
    overrideSchema: ({ valibotSchema, jsonSchema }) => {
      if (valibotSchema.type === "custom") return {};
      if (valibotSchema.type === "object") return { ...jsonSchema, additionalProperties: false };
      return undefined;
    },
    overrideAction: ({ valibotAction, jsonSchema }) => {
      if (valibotAction.type === "max_value") return withoutSafeInteger(jsonSchema);
      if (valibotAction.type !== "metadata" || !("metadata" in valibotAction)) return undefined;
      const info: FieldInfo = { ...(valibotAction.metadata ?? {}) };
      // The converter has copied our own words into the schema; they mean nothing there.
      const own = new Set(Object.keys(info));
      const standard = Object.entries(jsonSchema).filter(([name]) => !own.has(name));
      return { ...Object.fromEntries(standard), ...ofSide(info, jsonSchema), ...ofKind(info) };
    },
  });
}

/** JavaScript's own bound of whole numbers says nothing about the configuration. */
function withoutSafeInteger(schema: JsonSchema): JsonSchema {
  const { maximum, ...rest } = schema;
  return maximum === Number.MAX_SAFE_INTEGER ? rest : schema;
}

function ofSide({ side }: FieldInfo, { description }: JsonSchema): JsonSchema {
  return side === undefined ? {} : { description: `Only a ${side} uses it. ${description}` };
}

function ofKind(info: FieldInfo): JsonSchema {
  switch (info.kind) {
    case "address":
      return { type: "string", pattern: ":\\d{1,5}$", ...examples(info) };
    case "secret":
      return { type: "string", ...examples(info) };
    case "duration":
      return {
        oneOf: [{ type: "integer", minimum: 0 }, { type: "string", pattern: DURATION_PATTERN }],
        examples: [30, "500ms", "1m30s"],
      };
    case "named":
      return {
        type: "object",
        ...(info.each === undefined ? {} : { additionalProperties: withoutDialect(info.each) }),
      };
    default:
      return examples(info);
  }
}

function withoutDialect(each: v.GenericSchema): JsonSchema {
  const { $schema: _, ...schema } = convert(each);
  return schema;
}

function examples(info: FieldInfo): JsonSchema {
  // Examples are TOML of the kinds that JSON writes alike.
  return info.example === undefined ? {} : { examples: [JSON.parse(info.example)] };
}

async function current(): Promise<string> {
  try {
    return await Deno.readTextFile(FILE);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

if (import.meta.main) {
  const text = schemaText();
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(FILE, text);
  } else if (await current() !== text) {
    const message = "docs/config.schema.json is not current; run scripts/config_schema.ts\n";
    await Deno.stderr.write(new TextEncoder().encode(message));
    Deno.exitCode = 1;
  }
}
