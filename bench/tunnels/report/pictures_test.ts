import { deepEqual, equal, match, ok } from "node:assert/strict";
import { madeUp, madeUpWhole } from "./made_up.ts";
import { PICTURE_NAMES, picturesOf } from "./pictures.ts";

Deno.test("pictures: six of a whole run, and each says when, where and of what", () => {
  const pictures = picturesOf(
    madeUpWhole(["rathole", "ours", "channels", "frp", "our-server", "old"]),
  );
  deepEqual([...pictures.keys()], [...PICTURE_NAMES]);
  for (const [picture, { panels, subtitle }] of pictures) {
    const last = picture === "beside_download" ? "ours, carriers = 0" : "frp";
    match(subtitle, /^2001-02-03 04:05 UTC, Made-up CPU, 2 cores, .*\nrathole 0\.5\.0, .*3 rounds/);
    for (const { series } of panels) {
      deepEqual(series.map(({ name }) => name), ["rathole 0.5.0", "rathole for Deno", last]);
    }
  }
});

Deno.test("pictures: a program keeps its colour when others are missing", () => {
  const colours = (subjects: Parameters<typeof madeUpWhole>[0]) => {
    const { panels = [] } = picturesOf(madeUpWhole(subjects)).get("mem") ?? {};
    return panels.map(({ series }) => Object.fromEntries(series.map((it) => [it.name, it.colour])));
  };
  const [whole] = colours(["rathole", "ours", "frp"]);
  ok(whole !== undefined && new Set(Object.values(whole)).size === 3);
  const { frp: _, ...without } = whole;
  deepEqual(colours(["rathole", "ours"]), [without, without]);
});

Deno.test("pictures: medians with their ranges; nothing is drawn of nothing", () => {
  const pictures = picturesOf(
    madeUp({ "tcp.bulk": { ours: [3, 1, 2] }, "tls.bulk": { frp: [1] } }),
  );
  deepEqual([...pictures.keys()], ["tcp_bitrate"]);
  const { panels = [] } = pictures.get("tcp_bitrate") ?? {};
  equal(panels.length, 2);
  const [ours] = panels[0]?.series ?? [];
  deepEqual([ours?.points, ours?.ranges], [[["one stream", 2]], [[1, 3]]]);
  equal(picturesOf(madeUp({})).size, 0);
});

Deno.test("pictures: requests beside a download, over each line", () => {
  const results = madeUp({
    "mixed.keep-alive-p99": { rathole: [10], ours: [12], channels: [14] },
    "delay.mixed-p99": { ours: [90] },
    "delay.mixed-bulk": { rathole: [2] },
  });
  const { panels = [] } = picturesOf(results).get("beside_download") ?? {};
  deepEqual(panels.map(({ categories }) => categories), [
    ["loopback", "50 ms of round trip"],
    ["50 ms of round trip"],
  ]);
  deepEqual(panels[0]?.series.map(({ points }) => points.map(([, value]) => value)), [
    [10],
    [12, 90],
    [14],
  ]);
  equal(new Set(panels[0]?.series.map(({ colour }) => colour)).size, 3);
});

Deno.test("pictures: categories keep their order, whoever is missing in the first", () => {
  const results = madeUp({ "tcp.bulk-8": { rathole: [1] }, "tcp.bulk": { ours: [2] } });
  const { panels = [] } = picturesOf(results).get("tcp_bitrate") ?? {};
  deepEqual(panels[0]?.categories, ["one stream", "eight streams"]);
});
