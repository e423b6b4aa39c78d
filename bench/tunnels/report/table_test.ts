import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { FIGURES } from "../catalogue.ts";
import { compare } from "./compare.ts";
import { madeUp, madeUpWhole } from "./made_up.ts";
import {
  conditionsMarkdown,
  groupMarkdown,
  mixedMarkdown,
  sidesMarkdown,
  summarise,
} from "./table.ts";
import type { Subject } from "../results.ts";
import { goalText, GROUPS, numberText, percentText } from "./wording.ts";

const ALL = ["rathole", "ours", "channels", "frp", "our-server", "our-client", "old"] as const;

Deno.test("table: a terminal sees every figure, and no line is too long for it", () => {
  const text = summarise(madeUpWhole(ALL));
  for (const line of text.split("\n")) ok([...line].length <= 130, line);
  for (const { title } of FIGURES) ok(text.includes(title), title);
  match(text, /our-server +÷ rathole +our-client +÷ rathole/);
  match(text, /ours ÷ old/);
  match(text, /^figure +unit +rathole +ours +channels +ours ÷ rathole +channels ÷ rathole/m);
  match(text, /\d+ of 33 goals are reached; missed:\n {2}tcp\.bulk\n/);
});

Deno.test("table: what is missing is a dash, and what fails in some rounds is told", () => {
  const results = madeUp({
    "tcp.bulk": { rathole: [4, 8, 8], ours: [12, 20, 24] },
    "http.new": { ours: [0, 0] },
  });
  const text = summarise(results);
  match(
    text,
    /^TCP bulk, one stream +Gbit\/s +8\.00 +20\.0 +3\.00 \(2\.50–3\.00\) +≥ 2\.4 +met$/m,
  );
  match(text, /^HTTP, a new connection each, 32 at once +req\/s +– +0 +– +≥ 1\.1 +–$/m);
  match(text, /^Not in every round: http\.new \(ours: 2 of 3\)$/m);
  match(text, /^1 of 1 goals are reached\.$/m);
  doesNotMatch(text, /other end|old|frp +ours/);
  match(summarise(madeUp({})), /Nothing was measured\./);
});

Deno.test("table: without rathole there are no ratios of it, and beside old no other table", () => {
  const figure = (...subjects: Subject[]) =>
    summarise(madeUp({ "http.new": Object.fromEntries(subjects.map((it) => [it, [1]])) }));
  match(figure("ours"), /^figure +unit +ours +goal +reached$/m);
  doesNotMatch(figure("ours"), /goals are|÷|ratios/);
  doesNotMatch(figure("ours", "old"), /Two of a kind|goals are|rathole$/m);
  match(figure("ours", "old"), /^figure +unit +old +ours +ours ÷ old +ours is$/m);
  match(figure("ours", "old", "rathole"), /Two of a kind[^]*ours ÷ old/);
});

Deno.test("table: transports have no columns of frp, which has none of them", () => {
  const text = groupMarkdown(
    madeUp({ "tcp.bulk": { frp: [1] }, "tls.bulk": { rathole: [1], ours: [2] } }),
    "transports",
  );
  match(text, /\| ours ÷ rathole \|/);
  doesNotMatch(text, /frp/);
});

Deno.test("table: ours with carriers beside ours without, each with goals of its own", () => {
  const results = madeUp({
    "http.keep-alive": { rathole: [10, 10], ours: [12, 13], channels: [7, 8] },
    "tcp.bulk-8": { rathole: [1], ours: [1] },
    "delay.new": { rathole: [4], ours: [8] },
    "loss.new": { channels: [3] },
  });
  const near = sidesMarkdown(results, "carriers");
  const ratios = String.raw`1\.25 \(1\.20–1\.30\) \| ≥ 1\.1 +\| met +\| +0\.750 \(0\.700–0\.800\)`;
  match(near, /\| rathole for Deno \| ours, carriers = 0 \|/);
  match(near, new RegExp(`${ratios} \\| ≥ 0\\.8 \\| missed +\\|`));
  doesNotMatch(near, /eight|50 ms|loss/);
  const far = sidesMarkdown(results, "lines");
  match(far, /50 ms: HTTP, a new [^|]+\| req\/s +\| +4\.00 +\| +8\.00 +\| +– +\| +2\.00/);
  match(far, /1 % loss: HTTP, a new/);
  match(summarise(results), /missed:\n {2}http\.keep-alive \(channels\)$/m);
  equal(sidesMarkdown(madeUp({ "tcp.bulk": { ours: [1] } }), "carriers"), "");
});

Deno.test("table: a title that goes on from one that is not there is written out", () => {
  match(summarise(madeUp({ "http.new-p50": { ours: [3] } })), /^HTTP, a new .* … p50 +ms/m);
});

Deno.test("table: Markdown as the formatter leaves it", () => {
  const results = madeUp({ "udp.64-600": { rathole: [40, 50], ours: [50, 50], frp: [10, 10] } });
  equal(
    groupMarkdown(results, "udp"),
    `\
| figure                                                                     | unit   | rathole 0.5.0 | rathole for Deno |  frp |   ours ÷ rathole |       frp ÷ rathole | goal | reached |
| -------------------------------------------------------------------------- | ------ | ------------: | ---------------: | ---: | ---------------: | ------------------: | ---- | ------- |
| UDP goodput, 1400 bytes, offered 600 Mbit/s … 64 bytes, offered 600 Mbit/s | Mbit/s |          45.0 |             50.0 | 10.0 | 1.13 (1.00–1.25) | 0.225 (0.200–0.250) | –    | –       |`,
  );
  equal(groupMarkdown(results, "tcp"), "");
  equal(mixedMarkdown(results), "");
  match(
    conditionsMarkdown(results),
    /^\| begun +\| 2001-02-03 04:05 UTC; it took 42 minutes +\|$/m,
  );
});

Deno.test("table: every figure has its place in a group", () => {
  const heads: string[] = Object.values(GROUPS).flat();
  for (const { id } of FIGURES) ok(heads.includes(id.split(".")[0] ?? ""), id);
});

Deno.test("wording: numbers have three digits that count", () => {
  const numbers = [0, 0.01234, 0.1234, 1.234, 12.34, 123.4, 12_345.6, -0.5];
  equal(numbers.map(numberText).join(" "), "0 0.0123 0.123 1.23 12.3 123 12,346 -0.500");
  equal(
    [1.034, 0.5, 1, 21, NaN].map(percentText).join(", "),
    "+3.4 %, −50.0 %, +0.0 %, +2000 %, –",
  );
  const start = FIGURES.find(({ id }) => id === "start.first-visitor");
  equal(start && goalText(start), "≤ 300 ms");
});

Deno.test("compare: the ratios decide, not the values", () => {
  const then = madeUp({
    "tcp.bulk": { rathole: [10, 10, 10, 10, 10], ours: [20, 21, 22, 21, 21] },
    "http.new": { rathole: [100, 100, 100, 100, 100], ours: [50, 60, 55, 55, 55] },
    "http.keep-alive": { rathole: [100, 100], ours: [50, 60] },
    "tls.bulk": { ours: [5] },
    "udp.64-600": { ours: [1] },
  });
  const now = madeUp({
    // Half as fast on a machine that was half as fast.
    "tcp.bulk": { rathole: [5, 5, 5, 5, 5], ours: [10, 10.5, 11, 10.5, 10.5] },
    "http.new": { rathole: [100, 100, 100, 100, 100], ours: [70, 80, 75, 75, 75] },
    "http.keep-alive": { rathole: [100, 100], ours: [70, 80] },
    "tls.bulk": { ours: [6] },
  }, { versions: { "rathole": "0.5.0", "rathole for Deno": "1234567", "frp": "0.0.2" } });
  const text = compare(then, now);
  match(text, /^tcp\.bulk .* −50\.0 % .* \+0\.0 % +within noise$/m);
  match(text, /^http\.new .* \+36\.4 % +better$/m);
  match(text, /^tls\.bulk .* \+20\.0 % +– +– +– +no ratio$/m);
  match(text, /^http\.keep-alive .* \+36\.4 % +too few rounds$/m);
  doesNotMatch(text, /udp/);
  match(text, /^Not alike: frp 0\.0\.1, and 0\.0\.2\.$/m);
  for (const line of compare(madeUpWhole(ALL), madeUpWhole(ALL)).split("\n")) {
    ok([...line].length <= 130, line);
  }
  match(compare(then, madeUp({})), /No figure is in both/);
});
