import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { fromFileUrl } from "../../../scripts/project.ts";
import { readResults } from "../file.ts";
import { madeUp, madeUpWhole } from "./made_up.ts";
import { rewritePage, sourcesOf } from "./page.ts";
import { PICTURE_NAMES, picturesOf } from "./pictures.ts";
import { joinRuns } from "./runs.ts";

const ROOT = new URL("../../../", import.meta.url);
const PAGE = new URL("docs/benchmark.md", ROOT);
const readPage = () => Deno.readTextFile(PAGE);

Deno.test("page: docs/benchmark.md and its pictures are what the results it names give", async () => {
  const page = await readPage();
  const sources = sourcesOf(page);
  if (sources.length === 0) return;
  const results = joinRuns(
    await Promise.all(sources.map((name) => readResults(fromFileUrl(new URL(name, ROOT))))),
  );
  equal(page, rewritePage(page, results, sources), `run deno task bench:report ${sources}`);
  for (const [name, { subtitle }] of picturesOf(results)) {
    const drawn = await Deno.readTextFile(new URL(`docs/img/${name}.svg`, ROOT));
    const plain = drawn.replaceAll(/\s+/g, " ").replaceAll("&amp;", "&");
    for (const line of subtitle.split("\n")) {
      ok(plain.includes(line), `${name}.svg is of another run`);
    }
  }
});

Deno.test("page: docs/benchmark.md takes every table and picture, and can be written again", async () => {
  const results = madeUpWhole(["rathole", "ours", "channels", "frp", "our-server", "our-client"]);
  const page = rewritePage(await readPage(), results, ["bench/results/a.json"]);
  deepEqual(sourcesOf(page), ["bench/results/a.json"]);
  for (const name of PICTURE_NAMES) ok(page.includes(`(img/${name}.svg)`), name);
  match(page, /^\| start of both ends to the first visitor served +\|/m);
  match(page, /^\| figure .* \| ours, carriers = 0 \|/m);
  match(page, /^\| 1 % loss: HTTP keep-alive, 1 connection +\|/m);
  match(page, /^\| figure .* \| our server, rathole's client \|/m);
  equal(rewritePage(page, results, ["bench/results/a.json"]), page);
  const little = rewritePage(page, madeUp({ "tcp.bulk": { ours: [1] } }), ["a.json", "b.json"]);
  deepEqual(sourcesOf(little), ["a.json", "b.json"]);
  match(little, /Not measured in this run\./);
  ok(!little.includes("img/mem.svg") && little.includes("img/tcp_bitrate.svg"));
});

Deno.test("page: markers that are wrong are refused, words around them stay", () => {
  const rewrite = (page: string) => rewritePage(page, madeUp({}), ["a.json"]);
  const source = "<!-- results: none -->\n";
  deepEqual(sourcesOf(source), []);
  throws(() => rewrite("no source"), /no <!-- results/);
  throws(() => rewrite(`${source}<!-- begin: x -->\n<!-- end: x -->`), /no part x/);
  throws(() => rewrite(`${source}<!-- begin: tcp -->\n<!-- end: udp -->\n`), /no other one/);
  throws(() => rewrite(`${source}<!-- end: udp -->\n`), /no other one/);
  equal(
    rewrite(`before\n${source}<!-- begin: udp -->\nold\n<!-- end: udp -->\nafter\n`),
    "before\n<!-- results: a.json -->\n" +
      "<!-- begin: udp -->\n\nNot measured in this run.\n\n<!-- end: udp -->\nafter\n",
  );
});

Deno.test("runs: rounds of several runs do not mix, and runs that differ are refused", () => {
  const first = madeUp({ "tcp.bulk": { rathole: [1, 2], ours: [3, 4] } });
  const second = madeUp({ "tcp.bulk": { rathole: [5], ours: [6] } }, {
    started: "2001-02-04T04:05:06.789Z",
    load: 2,
  });
  const both = joinRuns([first, second]);
  deepEqual([both.rounds, both.load, both.samples.length], [3, 2, 6]);
  deepEqual(both.samples.at(-1), { figure: "tcp.bulk", subject: "ours", round: 2, value: 6 });
  equal(joinRuns([first]), first);
  throws(() => joinRuns([]), /no results/);
  throws(() => joinRuns([first, { ...second, seconds: 1 }]), /differ in seconds/);
  throws(() => joinRuns([first, { ...second, versions: { frp: "9" } }]), /in frp: 0\.0\.1 and 9$/);
  throws(() => joinRuns([first, second, first]), /05:06\.789Z was named more than once/);
});
