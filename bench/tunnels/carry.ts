/**
 * What tunnels are given to carry: visitors who ask for pages, streams, downloads.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Bench, pause } from "./context.ts";
import { type Bulk, type BulkLoad, iperf3Command, parseIperf3 } from "./iperf3.ts";
import { requireProgram } from "./programs.ts";
import { FLOWING, rateBetween } from "./progress.ts";
import type { Tunnel } from "./tunnel.ts";
import { type HttpLoad, type HttpVisitors, parseWrk, wrkCommand } from "./wrk.ts";

/** Milliseconds that a download goes on before it is measured, so that windows are open. */
export const RAMP = 1000;

/** Milliseconds until a download has certainly said once more how far it is. */
const LATEST_LINE = 200;

/** Has visitors send requests. */
export async function visit(
  bench: Bench,
  tunnel: Tunnel,
  visitors: HttpVisitors,
): Promise<HttpLoad> {
  const { processes, programs, seconds } = bench;
  const command = wrkCommand(requireProgram("wrk", programs), tunnel.web, seconds, visitors);
  return parseWrk(await processes.output(command, patience(seconds)));
}

/** Has bytes or datagrams sent. */
export async function stream(bench: Bench, tunnel: Tunnel, load: BulkLoad): Promise<Bulk> {
  const { processes, programs, seconds } = bench;
  const program = requireProgram("iperf3", programs);
  const { door, local } = tunnel.iperf3;
  // One for each test: after a test that broke off, it may refuse all others.
  await using server = processes.start([
    program,
    ...["--server", "--one-off", "--forceflush", "--bind", "127.0.0.1", "--port", `${local}`],
  ]);
  await server.until(/Server listening/);
  const command = iperf3Command(program, door, seconds, load);
  return parseIperf3(await processes.output(command, patience(seconds)));
}

/**
 * Has one visitor download from the web server for as long as something else
 * is done. Resolves with what that gave, and the bits per second meanwhile.
 */
export async function download<T>(
  bench: Bench,
  tunnel: Tunnel,
  meanwhile: () => Promise<T>,
): Promise<{ readonly bitsPerSecond: number; readonly result: T }> {
  await using visitor = bench.processes.start([
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"],
    fileURLToPath(new URL("download.ts", import.meta.url)),
    `${tunnel.web}`,
  ]);
  await visitor.until(FLOWING);
  await pause(bench, RAMP);
  const from = Date.now();
  const result = await meanwhile();
  const to = Date.now();
  await pause(bench, LATEST_LINE);
  if (visitor.over) throw new Error(`the download broke off: ${visitor.text.trim().slice(-500)}`);
  return { bitsPerSecond: 8 * rateBetween(visitor.text, from, to), result };
}

/** Milliseconds after which a test of so many seconds hangs. */
function patience(seconds: number): number {
  return (seconds + 15) * 1000;
}
