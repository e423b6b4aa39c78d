/**
 * Memory of a tunnel that is idle, and of one with visitors who are.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Bench, pause } from "./context.ts";
import type { Values } from "./loads.ts";
import { memoryOf } from "./proc.ts";
import type { Running } from "./processes.ts";
import type { Subject } from "./results.ts";
import { startTunnel } from "./tunnel.ts";

/** What is measured here. */
export const MEMORY_FIGURES: readonly string[] = [
  "memory.idle",
  "memory.idle-rss",
  "memory.visitors-1000",
  "memory.visitors-peak",
  "memory.visitors-5000",
];

/** About how long that takes. */
export const MEMORY_SECONDS = 14;

/** Descriptors that a process needs for 5,000 visitors, two for each. */
export const DESCRIPTORS = 12_000;

/** Milliseconds until memory is looked at. */
const SETTLED = 2000;

/** Measures them with a tunnel of its own. */
export async function measureMemory(bench: Bench, subject: Subject): Promise<Values> {
  await using tunnel = await startTunnel(bench, subject, { webOnly: true });
  const settled = async () => {
    await pause(bench, SETTLED);
    return await memoryOf(bench.processes, tunnel.pids);
  };
  const idle = await settled();
  await using _first = await startVisitors(bench, tunnel.web, 1000);
  const few = await settled();
  await using _more = await startVisitors(bench, tunnel.web, 4000);
  const many = await settled();
  if (!tunnel.alive) throw new Error(`an end has ended under its visitors:\n${tunnel.log}`);
  return {
    "memory.idle": idle.anonymous,
    "memory.idle-rss": idle.rss,
    "memory.visitors-1000": few.rss - idle.rss,
    "memory.visitors-peak": few.peak,
    "memory.visitors-5000": many.rss - idle.rss,
  };
}

/** Visitors who were each served once and stay; resolves when all of them were. */
async function startVisitors(bench: Bench, port: number, count: number): Promise<Running> {
  const visitors = bench.processes.start([
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"],
    fileURLToPath(new URL("visitors.ts", import.meta.url)),
    ...[`${port}`, `${count}`],
  ]);
  try {
    await visitors.until(/all served/);
    return visitors;
  } catch (error) {
    await visitors[Symbol.asyncDispose]();
    throw error;
  }
}
