/**
 * What a soak has found, to be read.
 *
 * @module
 */

import type { Course, Judgement } from "./judge.ts";
import type { SoakResult } from "./soak.ts";

const MIB = 1 << 20;
const KIB = 1 << 10;

/** A table in Markdown, what was done, what failed, and the verdict. */
export function tableOf(result: SoakResult): string {
  const { counts, failed, failures, flat, judgements, minutes, warmUp } = result;
  const done = Object.entries(counts)
    .filter(([what]) => what !== "streams open")
    .map(([what, count]) => `${count.toLocaleString("en")} ${what}`);
  const complaints = judgements.flatMap(({ complaints, name }) =>
    complaints.map((complaint) => `${name}: ${complaint}`)
  );
  return [
    "| process | anonymous memory, MiB | slope, MiB/h | live objects, MiB | slope, KiB/h | bytes a visitor | descriptors | slope, 1/h |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...judgements.map(row),
    "",
    "Start – median – max at quiet moments, after a warm-up of " +
    `${warmUp.toFixed(0)} s; of ${minutes} min in all.`,
    "",
    `${done.join(", ")}.`,
    "",
    ...failures.map((failure) => `FAILED: ${failure}`),
    ...(failed > failures.length ? [`FAILED: ${failed - failures.length} more`] : []),
    ...complaints.map((complaint) => `NOT FLAT: ${complaint}`),
    flat ? "Flat." : "Not as it should be.",
  ].join("\n");
}

/** What of a result is worth keeping. */
export function printable(result: SoakResult): object {
  const { arch, os } = Deno.build;
  return {
    date: new Date().toISOString(),
    machine:
      `${os} ${arch}, ${navigator.hardwareConcurrency} processors, Deno ${Deno.version.deno}`,
    ...result,
  };
}

function row({ anonymous, descriptors, heap, heapPerVisitor, name }: Judgement): string {
  const cells = [
    name,
    three(anonymous, MIB, 1),
    (anonymous.perHour / MIB).toFixed(1),
    three(heap, MIB, 2),
    (heap.perHour / KIB).toFixed(0),
    heapPerVisitor.toFixed(1),
    three(descriptors, 1, 0),
    descriptors.perHour.toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

function three({ max, median, start }: Course, unit: number, digits: number): string {
  return [start, median, max].map((value) => (value / unit).toFixed(digits)).join(" – ");
}
