/**
 * Soaks the program: visitors, reloads, strangers and faults at once, for as long as it is told;
 * fails when a byte was wrong, a stream was lost, or memory or descriptors are not flat.
 *
 * @module
 */

import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { printable, tableOf } from "../tests/soak/report.ts";
import { soak } from "../tests/soak/soak.ts";
import { root } from "./project.ts";

const USAGE = `Usage: deno task soak [options]

  --minutes N   how long it takes (default 10)
  --json FILE   write all that was measured
  --plot FILE   draw memory and descriptors over time, as SVG
  --tree DIR    soak the sources in another folder

Needs Linux. Ctrl-C ends it early, and what there is by then is judged.`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    json: { type: "string" },
    plot: { type: "string" },
    tree: { type: "string", default: root },
    help: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (values.help || !(minutes > 0)) {
  console.error(USAGE);
  Deno.exit(values.help ? 0 : 2);
}
for (const path of [values.json, values.plot]) {
  // Before it takes long.
  if (path !== undefined) await Deno.mkdir(dirname(path), { recursive: true });
}
const stop = new AbortController();
const onSignal = () => stop.abort();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
const result = await soak({
  minutes,
  tree: values.tree,
  signal: stop.signal,
  progress: (line) => console.error(line),
});
console.log(tableOf(result));
if (values.json !== undefined) {
  await Deno.writeTextFile(values.json, `${JSON.stringify(printable(result), null, 1)}\n`);
}
if (values.plot !== undefined) {
  const { soakPicture } = await import("../tests/soak/picture.ts");
  const { drawSvg } = await import("./plot.ts");
  await Deno.writeTextFile(values.plot, await drawSvg(soakPicture(result)));
}
Deno.exit(result.flat ? 0 : 1);
