/**
 * Fuzzing one target: inputs are made of those that are kept, and those that reach something new
 * are kept as well.
 *
 * @module
 */

import { type Entry, loadCorpus, saveCorpus } from "./corpus.ts";
import type { Coverage, Covered, Spot } from "./coverage.ts";
import type { Executor } from "./executor.ts";
import { minimise } from "./minimise.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import type { Target } from "./target.ts";

/** Inputs that are kept; more would only be slower. */
const MOST_KEPT = 200;
/** Shapes that count as news; a target with more says too much in them. */
const MOST_SHAPES = 120;
const LONGEST = 2048;
const BATCH = 64;
/** Milliseconds after which the event loop has a turn. */
const TURN = 20;

/** What a campaign has come to. */
export interface Tally {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  /** Entries of the corpus. */
  readonly kept: number;
  /** Shapes of outcomes seen. */
  readonly shapes: number;
  /** Characters of the program's text that ran. */
  readonly covered: number;
  readonly findings: number;
}

/** See the module. */
export class Campaign {
  readonly target: Target;
  readonly executor: Executor;
  readonly #coverage: Coverage;
  readonly #random: Random;
  readonly #covered: Covered = new Map();
  readonly #shapes = new Set<string>();
  readonly #tokens: readonly Uint8Array[];
  readonly #entries: Entry[] = [];
  #inputs: Uint8Array[] = [];
  #seconds = 0;

  constructor(target: Target, seed: number, coverage: Coverage, executor: Executor) {
    this.target = target;
    this.executor = executor;
    this.#coverage = coverage;
    this.#random = new Random(`${seed} ${target.name}`);
    this.#tokens = (target.tokens ?? []).map((token) =>
      typeof token === "string" ? new TextEncoder().encode(token) : token
    );
  }

  /** Runs what is kept and the seeds, and forgets those of them that reach nothing of their own. */
  async replay(): Promise<void> {
    const seeds = this.target.seeds.map((bytes) => ({ bytes, found: false }));
    const entries = [...await loadCorpus(this.target.name), ...seeds];
    entries.sort((a, b) => Number(b.found) - Number(a.found) || a.bytes.length - b.bytes.length);
    await this.#coverage.skip();
    for (const entry of entries) {
      const shape = await this.executor.run(entry.bytes);
      const spot = await this.#coverage.look(this.#covered, true);
      if (this.#isNew(shape) || spot !== undefined || entry.found) this.#keep(entry);
    }
    // Where all are alike, there must still be something to begin with.
    if (this.#entries.length === 0) this.#keep({ bytes: new Uint8Array(0), found: false });
  }

  /** Tries inputs for so many milliseconds. */
  async fuzz(ms: number): Promise<void> {
    const start = performance.now();
    await this.#coverage.skip();
    let turn = start;
    while (performance.now() - start < ms) {
      await this.#batch();
      if (performance.now() - turn < TURN) continue;
      // What runs besides, the tunnels of other targets for instance, would starve.
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
    this.#seconds += (performance.now() - start) / 1000;
  }

  /** Ends the target, with a last look at it. */
  async stop(): Promise<void> {
    await this.#check();
    try {
      await this.target.stop?.();
    } catch (error) {
      await this.executor.blame(error);
    }
  }

  /** Writes what is kept. */
  save(): Promise<void> {
    return saveCorpus(this.target.name, this.#entries);
  }

  get tally(): Tally {
    let covered = 0;
    for (const ran of this.#covered.values()) for (const byte of ran) covered += byte;
    return {
      target: this.target.name,
      inputs: this.executor.inputs,
      seconds: this.#seconds,
      kept: this.#entries.length,
      shapes: this.#shapes.size,
      covered,
      findings: this.executor.findings,
    };
  }

  async #batch(): Promise<void> {
    const { batch = BATCH } = this.target;
    const inputs = Array.from({ length: batch }, () => this.#next());
    const shapes = await this.executor.runAll(inputs);
    await this.#check();
    const news = new Set(inputs.filter((_, i) => this.#isNew(shapes[i])));
    if (await this.#coverage.look(this.#covered, false) !== undefined) {
      for (const input of inputs) {
        await this.executor.run(input);
        const spot = await this.#coverage.look(this.#covered, true);
        if (spot === undefined) continue;
        news.delete(input);
        await this.#keepSmall(input, spot);
      }
    }
    for (const input of news) await this.#keepSmall(input, undefined);
  }

  /** What one input cannot show. */
  async #check(): Promise<void> {
    try {
      await this.target.check?.();
    } catch (error) {
      await this.executor.blame(error);
    }
  }

  #next(): Uint8Array {
    const { longest = LONGEST } = this.target;
    const material = { corpus: this.#inputs, tokens: this.#tokens, longest };
    return mutate(this.#random.pick(this.#inputs), this.#random, material);
  }

  #isNew(shape: string | undefined): boolean {
    if (shape === undefined || this.#shapes.has(shape)) return false;
    if (this.#shapes.size >= MOST_SHAPES) return false;
    this.#shapes.add(shape);
    return true;
  }

  /** Keeps what is left of an input when all was cut off that its news does not need. */
  async #keepSmall(input: Uint8Array, spot: Spot | undefined): Promise<void> {
    if (this.#entries.length >= MOST_KEPT) return;
    if (this.target.parallel !== undefined) {
      return this.#keep({ bytes: input.slice(), found: false });
    }
    const shape = await this.executor.run(input);
    await this.#coverage.skip();
    const bytes = await minimise(input, async (smaller) => {
      const same = await this.executor.run(smaller) === shape;
      return same && (spot === undefined || await this.#coverage.reached(spot));
    });
    this.#keep({ bytes: bytes.slice(), found: false });
    await this.#coverage.skip();
  }

  #keep(entry: Entry): void {
    this.#entries.push(entry);
    this.#inputs.push(entry.bytes);
  }
}
