/**
 * How memory goes while load comes and goes.
 *
 * @module
 */

import { stream, visit } from "./carry.ts";
import { type Bench, pause } from "./context.ts";
import { memoryOf } from "./proc.ts";
import type { Subject, Trace } from "./results.ts";
import { startTunnel } from "./tunnel.ts";

/** About how long that takes. */
export const TRACE_SECONDS = 13;

/** Milliseconds between two looks. */
const INTERVAL = 250;

/** Idle, requests of 64 visitors, idle, bulk, idle: each for some seconds, on a tunnel of its own. */
export async function trace(bench: Bench, subject: Subject): Promise<Trace> {
  await using tunnel = await startTunnel(bench, subject);
  const points: [number, number][] = [];
  const began = performance.now();
  let over = false;
  const look = async () => {
    while (!over) {
      const seconds = (performance.now() - began) / 1000;
      const { rss } = await memoryOf(bench.processes, tunnel.pids);
      points.push([Math.round(seconds * 100) / 100, Math.round(rss * 10) / 10]);
      await pause(bench, INTERVAL);
    }
  };
  const load = async () => {
    try {
      await pause(bench, 1000);
      await visit({ ...bench, seconds: 4 }, tunnel, { connections: 64 });
      await pause(bench, 1000);
      await stream({ ...bench, seconds: 3 }, tunnel, {});
      await pause(bench, 2000);
    } finally {
      over = true;
    }
  };
  await Promise.all([look(), load()]);
  return { subject, points };
}
