/**
 * Fails when a module imports against the one direction of imports, when a pure folder touches the
 * outside world, or when anything of the library prints.
 *
 * Run: `deno run --allow-run=deno --allow-read scripts/layers.ts`
 *
 * @module
 */

import { fromFileUrl, root } from "./project.ts";

/** Folders and files of `src`, each allowed to import those of lower rank and itself. */
const RANK: Readonly<Record<string, number>> = {
  runtime: 0,
  "version.ts": 0,
  protocol: 1,
  noise: 1,
  websocket: 1,
  config: 1,
  certificates: 1,
  net: 2,
  transport: 3,
  carrier: 3,
  server: 4,
  client: 4,
  "supervisor.ts": 5,
  "watch.ts": 5,
  cli: 6,
};
/** Bytes in, bytes out: no `Deno` there. */
const PURE = ["protocol", "noise", "websocket", "config", "certificates"];

interface Module {
  specifier: string;
  dependencies?: { code?: { specifier: string }; type?: { specifier: string } }[];
}

const problems: string[] = [];
const modules = await moduleGraph();
for (const { specifier, dependencies = [] } of modules) {
  const from = roomOf(specifier);
  if (from === null) continue;
  await checkSource(specifier, from);
  for (const dependency of dependencies) {
    const target = dependency.code?.specifier ?? dependency.type?.specifier;
    const to = target === undefined ? null : roomOf(target);
    if (to === null || to === from) continue;
    const [fromRank, toRank] = [rankOf(from), rankOf(to)];
    if (toRank >= fromRank) problems.push(`${specifier}\n  (${from}) imports ${target} (${to})`);
  }
}
if (modules.filter((module) => roomOf(module.specifier) !== null).length === 0) {
  problems.push("the module graph is empty");
}
if (problems.length > 0) {
  await Deno.stderr.write(new TextEncoder().encode(`Against the flow:\n${problems.join("\n")}\n`));
  Deno.exit(1);
}

async function moduleGraph(): Promise<Module[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: root,
    stderr: "inherit",
  }).output();
  if (!success) Deno.exit(1);
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

/** The folder of `src`, or the file directly in it, that a module belongs to; null for others. */
function roomOf(specifier: string): string | null {
  return /\/src\/([^/]+)/.exec(specifier.slice(`file://${root}`.length - 1))?.[1] ?? null;
}

function rankOf(room: string): number {
  const rank = RANK[room];
  if (rank === undefined) problems.push(`src/${room} has no rank in scripts/layers.ts`);
  return rank ?? 0;
}

async function checkSource(specifier: string, room: string): Promise<void> {
  const text = await Deno.readTextFile(fromFileUrl(specifier));
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  if (PURE.includes(room) && /\bDeno\./.test(code)) {
    problems.push(`${specifier}\n  is to be pure and uses Deno`);
  }
  if (/\bconsole\./.test(code)) problems.push(`${specifier}\n  prints; only src/cli may, its way`);
}
