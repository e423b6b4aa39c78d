/**
 * What processes use, as the kernel counts it in /proc. Linux only.
 *
 * @module
 */

import type { Processes } from "./processes.ts";

const TICKS_PER_SECOND = 100;

/** Memory of some processes together, in megabytes (10^6 bytes). */
export interface Memory {
  /** Resident. */
  readonly rss: number;
  /** Of that, what they made themselves: without their files. */
  readonly anonymous: number;
  /** The most that was ever resident. */
  readonly peak: number;
}

/** Sums up what one or more files named `status` have in them. */
export function parseStatus(text: string, processes: number): Memory {
  const megabytes = (field: string) => {
    const found = Array.from(text.matchAll(new RegExp(`^${field}:\\s*(\\d+) kB$`, "gm")));
    if (found.length !== processes) throw new Error(`${found.length} × ${field} of ${processes}`);
    return found.reduce((sum, [, kibibytes]) => sum + Number(kibibytes), 0) * 1024 / 1e6;
  };
  return { rss: megabytes("VmRSS"), anonymous: megabytes("RssAnon"), peak: megabytes("VmHWM") };
}

/** Seconds of CPU time that one or more files named `stat` tell of, in steps of 0.01. */
export function parseStat(text: string): number {
  return text.trimEnd().split("\n").reduce((sum, line) => {
    // The program's name is in brackets and may have anything in it; what follows is fixed.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}

/** Whether a table of sockets, `/proc/net/udp` or `tcp`, has one that is bound to a port. */
export function parseBound(text: string, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text.split("\n").some((line) => line.trim().split(/\s+/)[1]?.endsWith(local) === true);
}

/** The memory of processes together. */
export async function memoryOf(processes: Processes, pids: readonly number[]): Promise<Memory> {
  return parseStatus(await read(processes, pids.map((pid) => `${pid}/status`)), pids.length);
}

/** The CPU time that processes have used so far together, in seconds. */
export async function cpuOf(processes: Processes, pids: readonly number[]): Promise<number> {
  return parseStat(await read(processes, pids.map((pid) => `${pid}/stat`)));
}

/** Whether somebody has this port; `inside` is what a command begins with that is to look. */
export async function isBound(
  processes: Processes,
  type: "tcp" | "udp",
  port: number,
  inside: readonly string[] = [],
): Promise<boolean> {
  return parseBound(await read(processes, [`net/${type}`], inside), port);
}

/** This process may not look itself: the sandbox keeps /proc from all but who may do everything. */
function read(
  processes: Processes,
  names: readonly string[],
  inside: readonly string[] = [],
): Promise<string> {
  return processes.output([...inside, "cat", ...names.map((name) => `/proc/${name}`)], 10_000);
}
