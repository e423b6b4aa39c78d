/**
 * The programs that a run needs besides this one: where they are, and how to get them.
 *
 * @module
 */

import { findPeer } from "../../scripts/peer.ts";
import { installed } from "../../tests/support/installed.ts";

/** A program that is not ours. */
export type ProgramName = "iperf3" | "wrk" | "nginx" | "rathole" | "frps" | "frpc" | "ip" | "nft";

/** Where those are that were found. */
export type Programs = Partial<Readonly<Record<ProgramName, string>>>;

/** How to get one. */
const ADVICE: Readonly<Record<ProgramName, string>> = {
  iperf3: "apt-get install iperf3",
  wrk: "apt-get install wrk",
  nginx: "apt-get install nginx-light",
  rathole: "deno run --allow-all scripts/peer.ts builds it with cargo; or name it in RATHOLE_PEER",
  frps: "name frp's server in the environment variable FRPS",
  frpc: "name frp's client in the environment variable FRPC",
  ip: "apt-get install iproute2",
  nft: "apt-get install nftables",
};

/** Looks for all of them. @throws {Error} when a variable names a program that is not there */
export async function findPrograms(): Promise<Programs> {
  const found: Partial<Record<ProgramName, string>> = {};
  const add = (name: ProgramName, path: string | null) => {
    if (path !== null) found[name] = path;
  };
  for (const name of ["iperf3", "wrk", "nginx", "ip", "nft"] as const) {
    add(name, (await installed(name)).path);
  }
  for (const name of ["frps", "frpc"] as const) add(name, await named(name.toUpperCase()));
  add("rathole", await findPeer());
  return found;
}

/** One line for each that is needed and was not found, with how to get it. */
export function adviceOn(needed: Iterable<ProgramName>, programs: Programs): string[] {
  return Array.from(new Set(needed))
    .filter((name) => programs[name] === undefined)
    .map((name) => `${name} is missing: ${ADVICE[name]}`);
}

/** The path of a program. @throws {Error} with how to get it, when there is none */
export function requireProgram(name: ProgramName, programs: Programs): string {
  const path = programs[name];
  if (path === undefined) throw new Error(adviceOn([name], programs)[0]);
  return path;
}

async function named(variable: string): Promise<string | null> {
  const path = Deno.env.get(variable) ?? "";
  if (path === "") return null;
  const file = await Deno.stat(path).catch(() => null);
  if (file?.isFile !== true) throw new Error(`${variable} names ${path}, which is not there`);
  return path;
}
