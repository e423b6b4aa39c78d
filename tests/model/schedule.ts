/**
 * What is to happen, and in which order: plain numbers, so that it can be shrunk and written down.
 *
 * @module
 */

import fc from "fast-check";

/** What steps do. The first are the simplest, as a shrinker sees it. */
export const STEPS = [
  "open",
  "read",
  "write",
  "arrive",
  "arrive all",
  "end",
  "abort",
  "offer",
  "move",
  "tell",
  "cut channel",
  "cut carrier",
  "retire",
  "block",
  "tick",
] as const;

/** What a step does. */
export type StepName = typeof STEPS[number];

/** A step: what it does, three numbers that say how, and what the event loop does after it. */
export type Step = readonly [kind: number, a: number, b: number, c: number, turns: number];

/** How a run is set up: see {@linkcode SETTINGS}. */
export type Setup = readonly number[];

/** A run. */
export interface Schedule {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

/** What a setup says, and how many values each has; 0 is the simplest. */
export const SETTINGS = {
  /** Streams beyond the first. */
  streams: 4,
  /** Milliseconds of silence after which a carrier asks. */
  quiet: 4,
  /** Capacity of the carrier. */
  carrier: 6,
  /** Capacity of data channels. */
  channel: 6,
  /** How wires behave. */
  destroys: 2,
  prompt: 2,
  slow: 2,
  /** Whether a read is under way on a data channel when it is used. */
  first: 2,
  /** Whether what was written is reused at once. */
  scratch: 2,
  /** What the client does with a stream as soon as it is given one. */
  accept: 4,
  /** Sizes of writes. */
  bulk: 4,
  /** How it is brought to its end. */
  finish: 64,
} as const;

/** Names of settings. */
export type Setting = keyof typeof SETTINGS;

const NAMES = Object.keys(SETTINGS) as Setting[];

/** What a setup says of a setting. */
export function setting(setup: Setup, name: Setting): number {
  return setup[NAMES.indexOf(name)] ?? 0;
}

/** Numbers that look random. */
export class Dice {
  #state: number;

  /** The same numbers for the same seed and index. */
  constructor(seed: number, index: number) {
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(index + 1, 0xc2b2_ae35);
    for (let i = 0; i < 4; i++) this.next();
  }

  /** An integer from 0 to below `most`. */
  below(most: number): number {
    return this.next() % most;
  }

  /** 32 bits. */
  next(): number {
    this.#state = this.#state + 0x6d2b_79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    t = t + Math.imul(t ^ t >>> 7, t | 61) ^ t;
    return (t ^ t >>> 14) >>> 0;
  }
}

/** How often each step comes where it comes at all, and in how many of 8 runs that is. */
const WEIGHTS: Readonly<Record<StepName, readonly [weight: number, runs: number]>> = {
  "open": [3, 8],
  "read": [9, 8],
  "write": [9, 8],
  "arrive": [9, 7],
  "arrive all": [6, 7],
  "end": [4, 6],
  "abort": [2, 3],
  "offer": [4, 7],
  "move": [5, 8],
  "tell": [5, 8],
  "cut channel": [2, 2],
  "cut carrier": [1, 3],
  "retire": [2, 3],
  "block": [2, 2],
  "tick": [2, 3],
};

/** The schedule of a seed and an index, with at most so many steps. */
export function generate(seed: number, index: number, most: number): Schedule {
  const dice = new Dice(seed, index);
  const setup = NAMES.map((name) => generateSetting(dice, name));
  const wheel: number[] = [];
  STEPS.forEach((name, kind) => {
    const [weight, runs] = WEIGHTS[name];
    if (dice.below(8) >= runs) return;
    // Some runs have much of what others have little of.
    const times = Math.max(1, Math.round(weight * (1 + dice.below(8)) / 4));
    for (let i = 0; i < times; i++) wheel.push(kind);
  });
  // Some runs are hardly ever let settle.
  const haste = dice.below(4);
  const count = 3 + dice.below(Math.max(1, most - 2));
  const steps: Step[] = [[0, 0, 0, 0, 0]];
  while (steps.length < count) {
    const kind = wheel[dice.below(wheel.length)] ?? 0;
    const bits = dice.next();
    const turns = (bits >>> 24) % 4 < haste ? 1 + (bits >>> 28) % 2 : 0;
    steps.push([kind, bits & 0xff, bits >>> 8 & 0xff, bits >>> 16 & 0xff, turns]);
  }
  return { setup, steps };
}

function generateSetting(dice: Dice, name: Setting): number {
  const value = dice.below(SETTINGS[name]);
  // Bulk costs time, and small capacities keep everything back.
  if (name === "bulk") return dice.below(3) === 0 ? value : Math.min(value, 1);
  if (name === "carrier" || name === "channel") return dice.below(2) === 0 ? value : 0;
  return value;
}

/** Schedules for fast-check, which is to shrink one. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  setup: fc.tuple(...NAMES.map((name) => fc.nat({ max: SETTINGS[name] - 1 }))),
  steps: fc.array(
    fc.tuple(
      fc.nat({ max: STEPS.length - 1 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 2 }),
    ),
    { maxLength: 1000, size: "max" },
  ),
});

/** Writes a schedule down. */
export function format({ setup, steps }: Schedule): string {
  return `${setup.join(".")}/${steps.map((step) => step.join(".")).join("/")}`;
}

/** Reads what {@linkcode format} wrote. @throws {Error} */
export function parse(text: string): Schedule {
  const [setup = [], ...steps] = text.split("/").map((part) => part.split(".").map(Number));
  if (setup.length !== NAMES.length || setup.some(Number.isNaN)) throw new Error("no schedule");
  return {
    setup,
    steps: steps.map(([kind = 0, a = 0, b = 0, c = 0, turns = 0]) => [kind, a, b, c, turns]),
  };
}
