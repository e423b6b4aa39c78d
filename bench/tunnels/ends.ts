/**
 * The programs at the two ends of a tunnel, each started as in production.
 *
 * @module
 */

import type { Configs } from "./configs.ts";
import type { Bench } from "./context.ts";
import { requireProgram } from "./programs.ts";
import type { Running } from "./processes.ts";
import type { Line } from "./line.ts";
import type { Subject } from "./results.ts";

/** Starts an end of a line with its configuration file; ours may read the files in `read` besides. */
export function startEnd(
  bench: Bench,
  subject: Subject,
  side: keyof Configs,
  file: string,
  { atClient, hosts }: Line,
  read: readonly string[],
): Running {
  const { checkouts, processes, programs } = bench;
  const env = { RUST_LOG: "info" };
  const inside = side === "server" ? [] : atClient;
  if (subject === "frp") {
    const program = requireProgram(side === "server" ? "frps" : "frpc", programs);
    return processes.start([...inside, program, "-c", file], { env });
  }
  const theirs = subject === "rathole" ||
    subject === `our-${side === "server" ? "client" : "server"}`;
  if (theirs) {
    return processes.start([...inside, requireProgram("rathole", programs), file], { env });
  }
  const cwd = subject === "old" ? checkouts.old : checkouts.ours;
  if (cwd === undefined) throw new Error("there is no other checkout");
  const allowed = [`--allow-net=${hosts}`, "--allow-env=RUST_LOG"];
  const reads = [file, ...read].map((path) => `--allow-read=${path}`);
  const command = [
    ...inside,
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    ...allowed,
    ...reads,
  ];
  return processes.start([...command, "mod.ts", file], { cwd, env });
}
