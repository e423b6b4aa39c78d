import { deepEqual, equal } from "node:assert/strict";
import type { Figure } from "../catalogue.ts";
import { madeUp } from "./made_up.ts";
import {
  changeOf,
  measured,
  mixedVerdictOf,
  ratio,
  sideOfOne,
  type Spread,
  spreadOf,
  verdictOf,
} from "./statistics.ts";

const RATE: Figure = { id: "tcp.bulk", title: "", unit: "", better: "higher", goal: 2, mixed: 1.1 };
const COST: Figure = { id: "memory.idle", title: "", unit: "MB", better: "lower", goal: 1.5 };
const spread = (min: number, max: number, count = 5): Spread => ({
  median: (min + max) / 2,
  min,
  max,
  count,
});

Deno.test("statistics: the middle of odd and of even counts, and of nothing", () => {
  deepEqual(spreadOf([3, 1, 10]), { median: 3, min: 1, max: 10, count: 3 });
  deepEqual(spreadOf([4, 1, 10, 2]), { median: 3, min: 1, max: 10, count: 4 });
  equal(spreadOf([]), null);
});

Deno.test("statistics: a ratio is taken within its round", () => {
  // By medians it would be 1; the machine was twice as slow in the second round.
  const results = madeUp({ "tcp.bulk": { rathole: [10, 5, 8], ours: [20, 8, 8] } });
  deepEqual(ratio(results, "tcp.bulk", "ours"), { median: 1.6, min: 1, max: 2, count: 3 });
  equal(measured(results, "tcp.bulk", "ours")?.median, 8);
});

Deno.test("statistics: rounds that miss one side, divisors of zero and what is no number", () => {
  const results = madeUp({ "tcp.bulk": { rathole: [10, 0, 4], ours: [5, 7, NaN, 9], old: [2] } });
  deepEqual(ratio(results, "tcp.bulk", "ours"), { median: 0.5, min: 0.5, max: 0.5, count: 1 });
  equal(measured(results, "tcp.bulk", "ours")?.count, 3);
  equal(ratio(results, "tcp.bulk", "ours", "old")?.median, 2.5);
  equal(ratio(results, "tcp.bulk", "frp"), null);
  equal(measured(results, "http.new", "ours"), null);
});

Deno.test("statistics: a goal is a lower bound for rates, an upper bound for costs", () => {
  const of = (figure: Figure, rathole: number, ours: number) =>
    verdictOf(madeUp({ [figure.id]: { rathole: [rathole], ours: [ours] } }), figure);
  deepEqual([of(RATE, 1, 2), of(RATE, 1, 1.994)], ["met", "missed"]);
  deepEqual([of(COST, 2, 3), of(COST, 2, 3.02)], ["met", "missed"]);
  const one = (figure: Figure, ours: number) => of({ ...figure, goal: 1 }, 1, ours);
  deepEqual([one(RATE, 0.995), one(RATE, 0.9949)], ["met", "missed"]);
  deepEqual([one(COST, 1.004), one(COST, 1.005)], ["met", "missed"]);
  const { goal: _, ...plain } = COST;
  equal(of(plain, 1, 9), "none");
  deepEqual(
    [of({ ...plain, absolute: 9 }, 1, 9), of({ ...plain, absolute: 9 }, 1, 9.001)],
    ["met", "missed"],
  );
  equal(verdictOf(madeUp({}), RATE), "none");
});

Deno.test("statistics: with rathole at one end, both pairings have to reach the goal", () => {
  const of = (values: Parameters<typeof madeUp>[0][string]) =>
    mixedVerdictOf(madeUp({ "tcp.bulk": { rathole: [10], ...values } }), RATE);
  equal(of({ "our-server": [11], "our-client": [12] }), "met");
  equal(of({ "our-server": [11], "our-client": [10.9] }), "missed");
  equal(of({ "our-server": [11] }), "met");
  equal(of({}), "none");
});

Deno.test("statistics: spreads that overlap are noise, others are better or worse", () => {
  equal(changeOf(RATE, spread(1, 2), spread(2, 3)), "within noise");
  equal(changeOf(RATE, spread(1, 2), spread(2.1, 3)), "better");
  equal(changeOf(COST, spread(1, 2), spread(2.1, 3)), "worse");
  equal(changeOf(COST, spread(1, 2), spread(0.1, 0.9)), "better");
  equal(changeOf(RATE, spread(1, 1, 4), spread(2, 3)), "too few rounds");
  equal(sideOfOne(RATE, spread(0.9, 1.1)), "within noise");
  equal(sideOfOne(RATE, spread(1.1, 1.2)), "better");
  equal(sideOfOne(COST, spread(1.1, 1.2)), "worse");
  equal(changeOf(RATE, spread(1, 1), spread(2, 3, 4)), "too few rounds");
  equal(sideOfOne(COST, spread(1.1, 1.1, 4)), "too few rounds");
});
