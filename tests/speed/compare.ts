/**
 * How much dearer and how much slower the tunnel is than the bare relays, in one run on one machine.
 *
 * @module
 */

import { median } from "../soak/statistics.ts";
import { startWays, type Way, type Ways } from "./ways.ts";

/** What is sent through both: one stream, or requests of 100 bytes over some connections. */
export type Load = { readonly kind: "bulk" } | {
  readonly kind: "requests";
  readonly connections: number;
};

/** The tunnel divided by the bare relays, for each round. */
export interface Ratios {
  /** Of the CPU time of both processes, for each byte or request: more is dearer. */
  readonly cpu: readonly number[];
  /** Of the time that a byte or a request took: more is slower. */
  readonly time: readonly number[];
}

/** What a byte or a request cost. */
interface Cost {
  readonly cpu: number;
  readonly time: number;
}

/** How long each of the two is measured in a round. */
const ROUND_MS = 600;
/** Both get this much before, for the runtime to have compiled what it runs. */
const WARM_UP_MS = 700;

/**
 * Measures in fresh processes, both ways in turn: what disturbs a round is likely to disturb both
 * of it, and the medians are not moved by the few rounds where it did not.
 */
export async function compare(load: Load, rounds: number): Promise<Ratios> {
  await using ways = await startWays();
  return await ways.check(async () => {
    await measure(ways, ways.bare, load, WARM_UP_MS);
    await measure(ways, ways.tunnel, load, WARM_UP_MS);
    const ratios = { cpu: [] as number[], time: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const { bare, tunnel } = await takeTurns(ways, load, round % 2 === 0);
      ratios.cpu.push(tunnel.cpu / bare.cpu);
      ratios.time.push(tunnel.time / bare.time);
    }
    return ratios;
  });
}

/** The medians, and in brackets the extremes. */
export function describe({ cpu, time }: Ratios): string {
  const show = (values: readonly number[]) =>
    `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ` +
    `${Math.max(...values).toFixed(2)})`;
  return `CPU × ${show(cpu)}, time × ${show(time)}, ${cpu.length} rounds`;
}

async function takeTurns(
  ways: Ways,
  load: Load,
  bareFirst: boolean,
): Promise<{ readonly bare: Cost; readonly tunnel: Cost }> {
  const first = await measure(ways, bareFirst ? ways.bare : ways.tunnel, load, ROUND_MS);
  const second = await measure(ways, bareFirst ? ways.tunnel : ways.bare, load, ROUND_MS);
  return bareFirst ? { bare: first, tunnel: second } : { bare: second, tunnel: first };
}

async function measure({ load }: Ways, { port, cpu }: Way, what: Load, ms: number): Promise<Cost> {
  // Opened before: it costs the tunnel far more than the relays, and would weigh the heavier the
  // fewer requests a busy machine gets through in the time.
  if (what.kind === "requests") {
    await load.ask({ kind: "idle", port, count: what.connections, ms: 0 });
  }
  const before = await cpu();
  const { done, ms: took } = await load.ask(
    what.kind === "requests"
      ? { kind: "again", port, count: what.connections, ms }
      : { kind: "bulk", port, count: 1, ms },
  );
  const used = await cpu() - before;
  await load.ask({ kind: "drop", port, count: 0, ms: 0 });
  return { cpu: used / done, time: took / done };
}
