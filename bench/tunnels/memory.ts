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

/** The one that takes long, and many descriptors. */
export const MOST_VISITORS = "memory.visitors-5000";

/** What is measured here. */
export const MEMORY_FIGURES: readonly string[] = [
  "memory.idle",
  "memory.idle-rss",
  "memory.visitors-1000",
  "memory.visitors-peak",
  MOST_VISITORS,
];

/** About how long that takes, and how long without {@linkcode MOST_VISITORS}. */
export const MEMORY_SECONDS = 14;
/** See {@linkcode MEMORY_SECONDS}. */
export const SOME_SECONDS = 6;

/** Descriptors that a process needs for 5,000 visitors, two for each. */
export const DESCRIPTORS = 12_000;

/** Milliseconds until memory is looked at. */
const SETTLED = 2000;

/** Measures these of them with a tunnel of its own; others may be among the values. */
export async function measureMemory(
  bench: Bench,
  subject: Subject,
  figures: readonly string[],
): Promise<Values> {
  await using tunnel = await startTunnel(bench, subject, { webOnly: true });
  const settled = async () => {
    await pause(bench, SETTLED);
    return await memoryOf(bench.processes, tunnel.pids);
  };
  const idle = await settled();
  await using _first = await startVisitors(bench, tunnel.web, 1000);
  const few = await settled();
  const values = {
    "memory.idle": idle.anonymous,
    "memory.idle-rss": idle.rss,
    "memory.visitors-1000": few.rss - idle.rss,
    "memory.visitors-peak": few.peak,
  };
  const alive = () => {
    if (!tunnel.alive) throw new Error(`an end has ended under its visitors:\n${tunnel.log}`);
  };
  alive();
  if (!figures.includes(MOST_VISITORS)) return values;
  await using _more = await startVisitors(bench, tunnel.web, 4000);
  const many = await settled();
  alive();
  return { ...values, [MOST_VISITORS]: many.rss - idle.rss };
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
