/**
 * Whether what was measured is flat. Pure.
 *
 * What objects take after a collection is what finds a leak: its noise is some ten kilobytes,
 * so it may grow by a hundred kilobytes and a few bytes a visitor. Memory of the whole process
 * moves by megabytes with the habits of its allocators; it finds what is outside of the heap.
 *
 * @module
 */

import { median, type Point, slope } from "./statistics.ts";

/** A look at a process at a quiet moment. */
export interface Sample {
  /** Since the start. */
  readonly seconds: number;
  /** Visitors of the process so far. */
  readonly visitors: number;
  /** Bytes that objects of the heap take, garbage collected. */
  readonly heap: number;
  /** Bytes of anonymous memory. */
  readonly anonymous: number;
  /** Bytes of resident memory. */
  readonly resident: number;
  readonly descriptors: number;
}

/** How much is still flat. */
export interface Bounds {
  /** Bytes that the live heap may grow by after the warm-up, besides those for visitors. */
  readonly heap: number;
  /** … and for each visitor. */
  readonly heapPerVisitor: number;
  /** Bytes by which anonymous memory may be above what it was in the middle. */
  readonly anonymous: number;
  /** … and as a share of that. */
  readonly anonymousShare: number;
  /** Descriptors that there may be more in the end than after the warm-up. */
  readonly descriptors: number;
}

/** What became of one process. */
export interface Judgement {
  readonly name: string;
  /** Bytes of anonymous memory, and of the live heap. */
  readonly anonymous: Course;
  readonly heap: Course;
  readonly descriptors: Course;
  /** Bytes of live heap for each visitor after the warm-up. */
  readonly heapPerVisitor: number;
  /** Why it is not flat; nothing when it is. */
  readonly complaints: readonly string[];
}

/** How a value went, after the warm-up. */
export interface Course {
  readonly start: number;
  readonly median: number;
  readonly max: number;
  /** The robust slope. */
  readonly perHour: number;
}

const MIB = 1 << 20;
const KIB = 1 << 10;
/** Fewer samples than this say nothing. */
const ENOUGH = 6;

/** The bounds of a run: a short one still sees code being compiled and tables being filled. */
export function boundsFor(minutes: number): Bounds {
  const short = minutes < 5;
  return {
    heap: short ? 256 * KIB : 128 * KIB,
    heapPerVisitor: short ? 200 : 10,
    anonymous: short ? 16 * MIB : 8 * MIB,
    anonymousShare: 0.15,
    descriptors: short ? 48 : 24,
  };
}

/** Seconds of a run that do not count: a quarter of it, two minutes at most. */
export function warmUpOf(minutes: number): number {
  return Math.min(120, minutes * 60 / 4);
}

/** Judges one process by its samples. */
export function judge(
  name: string,
  samples: readonly Sample[],
  { bounds, warmUp }: { readonly bounds: Bounds; readonly warmUp: number },
): Judgement {
  const counted = samples.filter(({ seconds }) => seconds >= warmUp);
  const heap = courseOf(counted, ({ heap }) => heap);
  const anonymous = courseOf(counted, ({ anonymous }) => anonymous);
  const descriptors = courseOf(counted, ({ descriptors }) => descriptors);
  const hours = spanOf(counted, ({ seconds }) => seconds) / 3600;
  const visitors = spanOf(counted, ({ visitors }) => visitors);
  const grown = heap.perHour * hours;
  const heapPerVisitor = visitors === 0 ? 0 : grown / visitors;
  const complaints: string[] = [];
  if (counted.length < ENOUGH) complaints.push(`only ${counted.length} samples`);
  if (grown > bounds.heap + bounds.heapPerVisitor * visitors) {
    complaints.push(
      `live objects grew by ${(grown / KIB).toFixed(0)} KiB, ${heapPerVisitor.toFixed(0)} bytes ` +
        `for each of ${visitors} visitors`,
    );
  }
  const middle = third(counted, 1, ({ anonymous }) => anonymous);
  const last = third(counted, 2, ({ anonymous }) => anonymous);
  if (last > middle * (1 + bounds.anonymousShare) + bounds.anonymous) {
    const [from, to] = [middle, last].map((bytes) => (bytes / MIB).toFixed(1));
    complaints.push(`anonymous memory went from ${from} to ${to} MiB`);
  }
  const before = third(counted, 0, ({ descriptors }) => descriptors);
  const after = third(counted, 2, ({ descriptors }) => descriptors);
  if (after > before + bounds.descriptors) {
    complaints.push(`descriptors went from ${before} to ${after}`);
  }
  return { name, anonymous, heap, descriptors, heapPerVisitor, complaints };
}

function courseOf(samples: readonly Sample[], value: (sample: Sample) => number): Course {
  const values = samples.map(value);
  const points = samples.map((sample): Point => [sample.seconds / 3600, value(sample)]);
  return {
    start: values[0] ?? NaN,
    median: median(values),
    max: Math.max(...values),
    perHour: slope(points),
  };
}

function spanOf(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const [first, last] = [samples[0], samples.at(-1)];
  return first === undefined || last === undefined ? 0 : value(last) - value(first);
}

/** The median of a third of the samples. */
function third(
  samples: readonly Sample[],
  which: 0 | 1 | 2,
  value: (sample: Sample) => number,
): number {
  const from = Math.floor(samples.length * which / 3);
  const to = Math.floor(samples.length * (which + 1) / 3);
  return median(samples.slice(from, to).map(value));
}
