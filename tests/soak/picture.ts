/**
 * A soak as a picture.
 *
 * @module
 */

import type { Panel, Picture } from "../../scripts/plot.ts";
import type { Sample } from "./judge.ts";
import type { SoakResult } from "./soak.ts";

const MIB = 1 << 20;

/** Memory and descriptors of each judged process over time. */
export function soakPicture({ counts, minutes, samples, warmUp }: SoakResult): Picture {
  const panel = (title: string, y: string, value: (sample: Sample) => number): Panel => ({
    kind: "lines",
    title,
    y,
    series: Object.entries(samples).map(([name, of]) => ({
      name,
      points: of.map((sample) => [sample.seconds / 60, value(sample)] as const),
    })),
  });
  const number = (count: number) => count.toLocaleString("en");
  const reloads = counts["reloads applied"] + counts["reloads refused"];
  const hurt = counts["clients killed"] + counts["clients restarted"] + counts["clients stopped"];
  return {
    title: `A soak of ${minutes} minutes`,
    subtitle: `${number(counts.visitors)} visitors, ${number(counts.datagrams)} datagrams, ` +
      `${number(reloads)} reloads (${number(counts["reloads refused"])} of them refused), ` +
      `${number(counts.strangers)} strangers, ${number(hurt)} other clients killed, stopped or ` +
      "restarted; measured at quiet moments",
    x: "minutes",
    shaded: { name: "warm-up", from: 0, to: warmUp / 60 },
    panels: [
      panel("Anonymous memory of each process", "MiB", (it) => it.anonymous / MIB),
      panel("Live objects after a collection", "MiB", (it) => it.heap / MIB),
      panel("Open descriptors", "descriptors", (it) => it.descriptors),
    ],
  };
}
