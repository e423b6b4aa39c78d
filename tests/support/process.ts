/**
 * What another process uses, as the kernel counts it. Linux only.
 *
 * @module
 */

import { eventually, pause } from "./patience.ts";

const TICKS_PER_SECOND = 100;

/**
 * The environment of a program of ours that collects its garbage early, instead of when there are
 * 60 MB of it: what is measured then is what is held.
 */
export const TIDY: Readonly<Record<string, string>> = {
  DENO_V8_FLAGS: "--max-semi-space-size=1,--gc-interval=5000",
};

/** Bytes of anonymous memory: what a process has made, without its files. */
export async function anonymousMemory(pid: number): Promise<number> {
  const kilobytes = /^RssAnon:\s*(\d+) kB$/m.exec(await procFile(pid, "status"))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no RssAnon`);
  return Number(kilobytes) * 1024;
}

/** The same once it has stopped to change much, or after some seconds. */
export async function settledMemory(pid: number): Promise<number> {
  let last = await anonymousMemory(pid);
  for (let looks = 0; looks < 20; looks++) {
    await pause(100);
    const now = await anonymousMemory(pid);
    if (Math.abs(now - last) < 256 << 10) return now;
    last = now;
  }
  return last;
}

/** Milliseconds of CPU that a process has used so far, in steps of 10. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await procFile(pid, "stat");
  // The program's name is in brackets and may have anything in it; what follows is fixed.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS_PER_SECOND;
}

/** Resolves once a process is idle: less than a tenth of a second of CPU in half a second. */
export async function idle(pid: number, what: string): Promise<void> {
  const used = async () => {
    const before = await cpuTime(pid);
    await pause(500);
    return await cpuTime(pid) - before;
  };
  await eventually(`${what} to be idle`, used, (ms) => ms < 100, 5_000);
}

/** How many descriptors a process has open. */
export async function openDescriptors(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

/** This process may not look itself: the sandbox keeps /proc from all but who may do everything. */
async function procFile(pid: number, name: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${name}`] }).output();
  return new TextDecoder().decode(stdout);
}
