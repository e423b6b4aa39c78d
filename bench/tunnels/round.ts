/**
 * One round of one subject: its tunnels one after the other, and what each has to carry.
 *
 * @module
 */

import { type Bench, pause } from "./context.ts";
import { type Load, TUNNEL_NAMES, type TunnelName, TUNNELS, type Values, warmUp } from "./loads.ts";
import { measureMemory, MEMORY_FIGURES } from "./memory.ts";
import { LOAD_PEAK, loadsOf, type Plan, START, wanted } from "./plan.ts";
import { memoryOf } from "./proc.ts";
import type { Subject } from "./results.ts";
import { startTunnel, type Tunnel } from "./tunnel.ts";

/** How often a tunnel that does not start is tried. */
const ATTEMPTS = 2;

/** Who hears of what failed. */
export interface Listener {
  /** It is tried once more. */
  again(what: string, error: unknown): void;
  /** It stays missing. */
  missing(what: string, error: unknown): void;
}

/** Measures all that a plan wants of a subject; what failed twice is not among the values. */
export async function measureSubject(
  bench: Bench,
  plan: Plan,
  subject: Subject,
  listener: Listener,
): Promise<Values> {
  const values: Record<string, number> = {};
  const twice = async (what: string, measure: () => Promise<Values>) => {
    Object.assign(values, await tryTwice(bench, `${subject}: ${what}`, measure, listener));
  };
  if (wanted(plan, subject, [START]).length > 0) {
    await twice(START, async () => {
      await using tunnel = await startTunnel(bench, subject, { webOnly: true });
      return { [START]: tunnel.firstVisitor };
    });
  }
  for (const name of TUNNEL_NAMES) {
    const loads = loadsOf(plan, subject, name);
    if (loads.length === 0) continue;
    await using keeper = new Keeper(bench, subject, name, loads);
    for (const load of loads) {
      await twice(load.figures[0], async () => {
        const tunnel = await keeper.tunnel();
        const measured = await load.measure(bench, tunnel);
        // What it carried until then may have been enough for a rate, but not for this one.
        if (!tunnel.alive) throw new Error(`an end has ended:\n${tunnel.log}`);
        return measured;
      });
    }
    if (name === "tcp" && wanted(plan, subject, [LOAD_PEAK]).length > 0) {
      await twice(LOAD_PEAK, () => keeper.peak());
    }
  }
  const memory = wanted(plan, subject, MEMORY_FIGURES);
  if (memory.length > 0) {
    await twice("memory", () => measureMemory(bench, subject, memory));
  }
  const kept = Object.entries(values).filter(([figure]) =>
    wanted(plan, subject, [figure]).length > 0
  );
  return Object.fromEntries(kept);
}

/** Resolves with no values when it has failed twice. */
async function tryTwice(
  bench: Bench,
  what: string,
  measure: () => Promise<Values>,
  listener: Listener,
): Promise<Values> {
  try {
    return await measure();
  } catch (error) {
    bench.signal.throwIfAborted();
    listener.again(what, error);
  }
  await pause(bench, 1000);
  try {
    return await measure();
  } catch (error) {
    bench.signal.throwIfAborted();
    listener.missing(what, error);
    return {};
  }
}

/** Keeps a tunnel for loads: warm, and a new one where the last has died. */
class Keeper implements AsyncDisposable {
  readonly #start: () => Promise<Tunnel>;
  readonly #bench: Bench;
  #tunnel: Tunnel | undefined;
  #starts = 0;
  /** Why it did not start, each time since it last did. */
  readonly #failures: unknown[] = [];

  constructor(bench: Bench, subject: Subject, name: TunnelName, loads: readonly Load[]) {
    this.#bench = bench;
    this.#start = async () => {
      const tunnel = await startTunnel(bench, subject, TUNNELS[name]);
      try {
        await warmUp(bench, tunnel, loads);
      } catch (error) {
        await tunnel[Symbol.asyncDispose]();
        throw error;
      }
      return tunnel;
    };
  }

  async tunnel(): Promise<Tunnel> {
    if (this.#tunnel?.alive !== true) {
      await this[Symbol.asyncDispose]();
      // Not again for each of the loads: it takes its time.
      if (this.#failures.length >= ATTEMPTS) throw this.#failures[0];
      try {
        this.#tunnel = await this.#start();
      } catch (error) {
        this.#failures.push(error);
        throw error;
      }
      this.#failures.length = 0;
      this.#starts++;
    }
    return this.#tunnel;
  }

  /** The most memory that it took, when one and the same has carried everything. */
  async peak(): Promise<Values> {
    const { pids } = await this.tunnel();
    if (this.#starts !== 1) throw new Error("an end had to be started again in between");
    return { [LOAD_PEAK]: (await memoryOf(this.#bench.processes, pids)).peak };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tunnel?.[Symbol.asyncDispose]();
    this.#tunnel = undefined;
  }
}
