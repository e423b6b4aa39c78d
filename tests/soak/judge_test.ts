import { deepEqual, equal, match, ok } from "node:assert/strict";
import { boundsFor, judge, type Sample, warmUpOf } from "./judge.ts";
import { median, slope } from "./statistics.ts";

const MIB = 1 << 20;
const KIB = 1 << 10;
const SECONDS_BETWEEN = 10;
const VISITORS_A_SECOND = 25;

/** Samples of a process as they are: with noise, and code that is compiled in the first minute. */
function samplesOf(minutes: number, change: (seconds: number) => Partial<Sample> = () => ({})) {
  let random = 1;
  const noise = () => (random = (random * 48_271) % 0x7fff_ffff) / 0x7fff_ffff - 0.5;
  return Array.from({ length: minutes * 60 / SECONDS_BETWEEN }, (_, i): Sample => {
    const seconds = i * SECONDS_BETWEEN;
    const {
      heap = 0,
      anonymous = 0,
      descriptors = 0,
      ...rest
    } = change(seconds);
    return {
      seconds,
      visitors: seconds * VISITORS_A_SECOND,
      heap: heap + 13 * MIB + Math.min(60, seconds) * 10 * KIB + noise() * 100 * KIB,
      anonymous: anonymous + 40 * MIB + noise() * 6 * MIB,
      resident: 80 * MIB,
      descriptors: descriptors + Math.round(77 + noise() * 6),
      ...rest,
    };
  });
}

function complaintsOf(minutes: number, samples: readonly Sample[]): readonly string[] {
  const about = { bounds: boundsFor(minutes), warmUp: warmUpOf(minutes) };
  return judge("it", samples, about).complaints;
}

Deno.test("judge: noise, and what happens only once, is flat", () => {
  for (const minutes of [4, 10, 30]) {
    deepEqual(complaintsOf(minutes, samplesOf(minutes)), []);
    const spike = samplesOf(
      minutes,
      (seconds) => seconds > 150 && seconds < 180 ? { anonymous: 60 * MIB, descriptors: 500 } : {},
    );
    deepEqual(complaintsOf(minutes, spike), []);
  }
});

Deno.test("judge: 100 bytes a visitor are seen in 10 and in 30 minutes", () => {
  for (const minutes of [10, 30]) {
    const leak = samplesOf(minutes, (seconds) => ({ heap: seconds * VISITORS_A_SECOND * 100 }));
    const complaints = complaintsOf(minutes, leak);
    equal(complaints.length, 1);
    match(complaints[0] ?? "", /objects grew by \d+ KiB, \d+ bytes for each of \d+ visitors/);
  }
});

Deno.test("judge: a kilobyte a visitor is seen in a minute", () => {
  const samples = samplesOf(1, (seconds) => ({ heap: seconds * VISITORS_A_SECOND * 1024 }));
  // A short run looks more often.
  const often = samples.flatMap((sample) => [sample, { ...sample, seconds: sample.seconds + 5 }]);
  match(complaintsOf(1, often)[0] ?? "", /live objects grew/);
});

Deno.test("judge: memory outside of the heap and descriptors that pile up are seen", () => {
  const native = samplesOf(30, (seconds) => ({ anonymous: seconds * 40 * KIB }));
  match(complaintsOf(30, native)[0] ?? "", /anonymous memory went from/);
  const descriptors = samplesOf(10, (seconds) => ({ descriptors: Math.round(seconds / 6) }));
  match(complaintsOf(10, descriptors)[0] ?? "", /descriptors went from/);
});

Deno.test("judge: too few samples are no proof", () => {
  match(complaintsOf(10, samplesOf(10).slice(0, 16))[0] ?? "", /only 4 samples/);
  equal(complaintsOf(10, []).length, 1);
});

Deno.test("statistics: a robust slope, a median", () => {
  equal(median([3, 1, 2]), 2);
  equal(median([4, 1, 2, 3]), 2.5);
  ok(Number.isNaN(median([])));
  equal(slope([]), 0);
  equal(slope([[1, 5]]), 0);
  const line = Array.from({ length: 20 }, (_, i) => [i, 3 * i + 1] as const);
  equal(slope(line), 3);
  const wild = line.map(([t, v]) => [t, t % 5 === 0 ? 10_000 * (t % 2) : v] as const);
  ok(Math.abs(slope(wild) - 3) < 0.5);
});
