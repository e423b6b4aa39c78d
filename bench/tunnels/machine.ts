/**
 * What a run is made on: the machine, and the programs' versions.
 *
 * @module
 */

import type { Bench } from "./context.ts";
import type { Processes } from "./processes.ts";
import type { Machine, Subject } from "./results.ts";

/** Where the kernel tells how its TCP reacts to losses: cubic, bbr. */
const CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control";

/** The machine. */
export async function factsOf(processes: Processes): Promise<Machine> {
  const cpus = await printed(processes, ["cat", "/proc/cpuinfo"]);
  return {
    cpu: /^model name\s*:\s*(.+)$/m.exec(cpus)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memory: Math.round(Deno.systemMemoryInfo().total / 2 ** 30 * 10) / 10,
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
  };
}

/** The versions of all that took part, and the kernel's congestion control. */
export async function versionsOf(
  { checkouts, processes, programs }: Bench,
  subjects: readonly Subject[],
): Promise<Record<string, string>> {
  const versions: Record<string, string> = { Deno: Deno.version.deno };
  const { iperf3, nginx, rathole, frps, wrk } = programs;
  const named = { rathole, frp: subjects.includes("frp") ? frps : undefined, nginx, wrk, iperf3 };
  for (const [name, path] of Object.entries(named)) {
    if (path === undefined) continue;
    const option = name === "nginx" ? "-v" : "--version";
    versions[name] = versionIn(await printed(processes, [path, option]));
  }
  // What a line that loses packets comes to depends on it.
  const congestion = await printed(processes, ["cat", CONGESTION]);
  versions["TCP congestion control"] = congestion.trim();
  versions["rathole for Deno"] = await commitOf(processes, checkouts.ours);
  if (checkouts.old !== undefined && subjects.includes("old")) {
    versions["the other checkout"] = await commitOf(processes, checkouts.old);
  }
  return versions;
}

/** What a tunnel of a checkout is made of, as git is told it. */
const PRODUCT = ["--", "src", "mod.ts", "deno.json", "deno.lock"];

/**
 * The last commit of a checkout that changed the product, with `+` where the product was changed
 * since, whatever became of documents and results; `unknown` without git.
 */
export async function commitOf(processes: Processes, folder: string): Promise<string> {
  const git = (args: string[]) => processes.output(["git", "-C", folder, ...args], 10_000);
  try {
    const commit = (await git(["log", "-1", "--format=%h", ...PRODUCT])).trim();
    const changed = await git(["status", "--porcelain", ...PRODUCT]);
    if (commit === "") return "unknown";
    return changed.trim() === "" ? commit : `${commit}+`;
  } catch {
    return "unknown";
  }
}

/** How many descriptors a process may be given. */
export async function descriptorLimit(processes: Processes): Promise<number> {
  const limit = (await printed(processes, ["sh", "-c", "ulimit -Hn"])).trim();
  return limit === "unlimited" ? Infinity : Number(limit);
}

/** The version in what a program prints about itself. */
export function versionIn(text: string): string {
  // rathole has a table of its build, with times of day and other versions.
  const found = /^Build Version:\s+(\S+)$/m.exec(text) ?? /(\d+\.\d+[\w.+-]*)/.exec(text);
  return found?.[1] ?? "unknown";
}

/** What a program prints, to either output and whatever it ends with: wrk says 1. */
function printed(processes: Processes, command: readonly string[]): Promise<string> {
  return processes.output(["sh", "-c", '"$@" 2>&1 || true', "sh", ...command], 10_000);
}
