/**
 * Writes `docs/configuration.md`, the reference of every key, from `docs/config.schema.json`. With
 * `--check` it only says whether the page is current.
 *
 * Run by: deno run --allow-read=docs,tests/testdata --allow-write=docs \
 *   scripts/config_reference.ts [--check]
 *
 * @module
 */

const SCHEMA = new URL("../docs/config.schema.json", import.meta.url);
const PAGE = new URL("../docs/configuration.md", import.meta.url);
/** Has every key that rathole 0.5.0 knows; it rejects the others. */
const THEIRS = new URL("../tests/testdata/config/every_key_of_0.5.0.toml", import.meta.url);

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly oneOf?: readonly Schema[];
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

const INTRODUCTION = `# Configuration

Written by \`deno task schema\` from the schema that the program checks files with.

One TOML file holds a \`[server]\` block, a \`[client]\` block, or both. Files of rathole 0.5.0 load
with the same meaning; the other direction holds for files that use no key marked with ⁺, which
0.5.0 rejects.

- Names of services and tokens are taken literally: any text will do.
- Addresses are \`host:port\`, IPv6 in brackets: \`[::1]:2333\`.
- A *duration* is a whole number of seconds, or text such as \`"500ms"\`, \`"1m30s"\`, \`"2h"\`⁺.
- A key that nobody knows is an error, at every level. Every problem of a file is reported at once.
- \`transport.type\` is \`"tcp"\`, \`"tls"\`, \`"noise"\` or \`"websocket"\`, the last also over TLS; a client
  reaches the server directly or through \`transport.tcp.proxy\`, whatever the transport.
- Files that a key names are looked for from the directory that the program was started in.
- Keys of the other side, and blocks of transports that are not selected, are checked and not used.

Editors that know TOML schemas complete and check a file that starts with
\`#:schema PATH_OR_URL/config.schema.json\`, as the examples do.
`;

/** The page's text. */
export function referencePage(schema: Schema, theirs: ReadonlySet<string>): string {
  const sections: string[] = [INTRODUCTION];
  for (const side of ["server", "client"]) {
    const block = schema.properties?.[side];
    if (block !== undefined) addSection(sections, side, block, theirs);
  }
  return sections.join("\n");
}

function addSection(
  sections: string[],
  path: string,
  block: Schema,
  theirs: ReadonlySet<string>,
): void {
  const tables: [string, Schema][] = [];
  const rows: string[] = [];
  for (const [key, value] of Object.entries(block.properties ?? {})) {
    if (value.properties !== undefined) tables.push([`${path}.${key}`, value]);
    else if (typeof value.additionalProperties === "object" && isTable(value)) {
      tables.push([`${path}.${key}.NAME`, value.additionalProperties]);
      rows.push(row(key, value, block, theirs));
    } else rows.push(row(key, value, block, theirs));
  }
  const description = block.description === undefined ? "" : `\n${block.description}\n`;
  const table = `| key | value | default | meaning |\n| --- | --- | --- | --- |\n${
    rows.join("\n")
  }\n`;
  sections.push(`## \`[${path}]\`\n${description}\n${table}`);
  for (const [name, inner] of tables) addSection(sections, name, inner, theirs);
}

function row(key: string, value: Schema, block: Schema, theirs: ReadonlySet<string>): string {
  const fallback = value.default !== undefined
    ? `\`${JSON.stringify(value.default)}\``
    : block.required?.includes(key)
    ? "required"
    : "–";
  const mark = theirs.has(key) ? "" : "⁺";
  return `| \`${key}\`${mark} | ${kind(value)} | ${fallback} | ${value.description ?? ""} |`;
}

/** Whether a key holds tables by name; others hold texts by name. */
function isTable({ additionalProperties }: Schema): boolean {
  return typeof additionalProperties === "object" && additionalProperties.properties !== undefined;
}

function kind(value: Schema): string {
  if (value.enum !== undefined) {
    return value.enum.map((word) => `\`${JSON.stringify(word)}\``).join(", ");
  }
  if (value.oneOf !== undefined) return "duration";
  if (value.type === "integer") {
    const { minimum, maximum } = value;
    if (minimum !== undefined && maximum !== undefined) return `${minimum} … ${maximum}`;
    return minimum === undefined ? "whole number" : `whole number from ${minimum}`;
  }
  if (value.type === "object") return isTable(value) ? "tables" : "table of texts";
  return { array: "array of texts", boolean: "`true`, `false`" }[value.type ?? ""] ?? "text";
}

if (import.meta.main) {
  const keys = (await Deno.readTextFile(THEIRS)).matchAll(/^(?:\[(?:\w+\.)*)?(\w+)(?: =|[\].])/gm);
  const theirs = new Set(Array.from(keys, ([, key = ""]) => key)).add("services");
  const text = referencePage(JSON.parse(await Deno.readTextFile(SCHEMA)), theirs);
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(PAGE, text);
  } else if (await Deno.readTextFile(PAGE) !== text) {
    await Deno.stderr.write(
      new TextEncoder().encode("docs/configuration.md is not current: run `deno task schema`\n"),
    );
    Deno.exit(1);
  }
}
