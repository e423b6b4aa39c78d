/**
 * The parts of a page that come out of results, so that the words around them stay.
 *
 * A part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`; which files they all come
 * from is told by `<!-- results: FILE … -->`, or `<!-- results: none -->`.
 *
 * @module
 */

import type { Results } from "../results.ts";
import { type PictureName, picturesOf } from "./pictures.ts";
import { conditionsMarkdown, groupMarkdown, mixedMarkdown, sidesMarkdown } from "./table.ts";
import { type Group, GROUPS } from "./wording.ts";

const PART = /(?<=^<!-- begin: (?<name>[\w-]+) -->\n).*?(?=^<!-- end: \k<name> -->$)/gms;
const MARKER = /<!-- (?:begin|end): [\w-]+ -->/g;
const SOURCE = /^<!-- results: (.+) -->$/m;

/** The pictures of a group's part, and what they show, for those who do not see them. */
const PICTURES: Readonly<Partial<Record<Group, readonly (readonly [PictureName, string])[]>>> = {
  tcp: [["tcp_bitrate", "TCP bulk, and one stream over each transport, as bars"]],
  http: [
    ["http_throughput", "HTTP requests a second as bars"],
    ["latency", "HTTP latency, p50 and p99, on a logarithmic axis"],
  ],
  udp: [["udp_bitrate", "UDP goodput as bars"]],
  carriers: [["beside_download", "Small requests beside a download, on a logarithmic axis"]],
  memory: [["mem", "Memory over time as lines, idle memory and that of visitors as bars"]],
};

/** The files of results that a page names; none before the first run. */
export function sourcesOf(page: string): readonly string[] {
  const named = SOURCE.exec(page)?.[1] ?? "none";
  return named === "none" ? [] : named.split(" ");
}

/**
 * The page with its parts as they come out of these results, which are in these files.
 *
 * @throws {Error} when a part is not known, or its markers are not a pair
 */
export function rewritePage(page: string, results: Results, sources: readonly string[]): string {
  if (!SOURCE.test(page)) throw new Error("the page has no <!-- results: … -->");
  const parts = partsOf(results);
  let replaced = 0;
  const text = page.replace(PART, (_, name: string) => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`there is no part ${name}`);
    replaced++;
    return `\n${part === "" ? "Not measured in this run." : part}\n\n`;
  });
  if ((page.match(MARKER)?.length ?? 0) !== 2 * replaced) {
    throw new Error("a begin or an end has no other one");
  }
  return text.replace(SOURCE, () => `<!-- results: ${sources.join(" ")} -->`);
}

/** What can stand on a page, by the names of parts. */
function partsOf(results: Results): ReadonlyMap<string, string> {
  const drawn = picturesOf(results);
  const groups = (Object.keys(GROUPS) as Group[]).map((group): [string, string] => {
    const images = (PICTURES[group] ?? [])
      .filter(([name]) => drawn.has(name))
      .map(([name, alt]) => `![${alt}](img/${name}.svg)`);
    const table = group === "carriers" || group === "lines"
      ? sidesMarkdown(results, group)
      : groupMarkdown(results, group);
    return [group, [...images, table].filter(Boolean).join("\n\n")];
  });
  return new Map([
    ["conditions", conditionsMarkdown(results)],
    ...groups,
    ["mixed", mixedMarkdown(results)],
  ]);
}
