/**
 * The loads that one tunnel carries one after the other, and the figures that each gives.
 *
 * @module
 */

import { type Bench, pause, UDP_SECONDS } from "./context.ts";
import { type Bulk, type BulkLoad, iperf3Command, parseIperf3 } from "./iperf3.ts";
import { cpuOf } from "./proc.ts";
import { type ProgramName, requireProgram } from "./programs.ts";
import type { TransportName, Tunnel } from "./tunnel.ts";
import { type HttpLoad, type HttpVisitors, parseWrk, wrkCommand } from "./wrk.ts";

/** Figure → value, in the figure's unit. */
export type Values = Readonly<Record<string, number>>;

/** A load, and what is measured while it is carried. */
export interface Load {
  readonly transport: TransportName;
  /** All that it gives; the first is the rate. */
  readonly figures: readonly [string, ...string[]];
  readonly program: ProgramName;
  measure(bench: Bench, tunnel: Tunnel): Promise<Values>;
}

/** In the order in which they are measured. */
export const LOADS: readonly Load[] = [
  http("http.keep-alive-1", { connections: 1 }),
  http("http.keep-alive", { connections: 64 }, { cpu: true }),
  http("http.keep-alive-512", { connections: 512 }),
  http("http.new", { connections: 32, fresh: true }, { cpu: true }),
  tcp("tcp.bulk", {}, { cpu: true }),
  tcp("tcp.bulk-8", { streams: 8 }),
  tcp("tcp.bulk-reverse", { reverse: true }),
  udp("udp.1400-600", 1400, 600),
  udp("udp.1400-unlimited", 1400, 0),
  udp("udp.64-600", 64, 600),
  udp("udp.64-unlimited", 64, 0),
  ...(["tls", "noise", "ws", "wss"] as const).flatMap((transport) => [
    http(`${transport}.keep-alive`, { connections: 64 }, { transport, latency: false }),
    tcp(`${transport}.bulk`, {}, { transport }),
  ]),
];

/**
 * Carries something unmeasured, as nothing is compiled yet: a second of requests over 64 kept
 * connections where wrk is to come, and a second of one TCP stream where iperf3 is. That is all,
 * whatever the loads are: datagrams, new connections and the other direction are not warmed up.
 */
export async function warmUp(bench: Bench, tunnel: Tunnel, loads: readonly Load[]): Promise<void> {
  const short = { ...bench, seconds: 1 };
  if (loads.some(({ program }) => program === "wrk")) {
    await visit(short, tunnel, { connections: 64 });
  }
  if (loads.some(({ program }) => program === "iperf3")) await stream(short, tunnel, {});
}

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

/** Milliseconds after which a test of so many seconds hangs. */
function patience(seconds: number): number {
  return (seconds + 15) * 1000;
}

interface Traits {
  readonly transport?: TransportName;
  readonly cpu?: boolean;
  readonly latency?: boolean;
}

function http(
  figure: string,
  visitors: HttpVisitors,
  { cpu = false, latency = true, transport = "tcp" }: Traits = {},
): Load {
  const more = [...(cpu ? ["cpu"] : []), ...(latency ? ["p50", "p99"] : [])];
  return {
    transport,
    figures: [figure, ...more.map((what) => `${figure}-${what}`)],
    program: "wrk",
    async measure(bench, tunnel) {
      const before = await cpuOf(bench.processes, tunnel.pids);
      const { p50, p99, rate, requests } = await visit(bench, tunnel, visitors);
      const used = await cpuOf(bench.processes, tunnel.pids) - before;
      return {
        [figure]: rate,
        ...(cpu ? { [`${figure}-cpu`]: used / requests * 1e6 } : {}),
        ...(latency ? { [`${figure}-p50`]: p50, [`${figure}-p99`]: p99 } : {}),
      };
    },
  };
}

function tcp(
  figure: string,
  load: BulkLoad,
  { cpu = false, transport = "tcp" }: Traits = {},
): Load {
  return {
    transport,
    figures: [figure, ...(cpu ? [`${figure}-cpu`] : [])],
    program: "iperf3",
    async measure(bench, tunnel) {
      const before = await cpuOf(bench.processes, tunnel.pids);
      const { bitsPerSecond, bytes } = await stream(bench, tunnel, load);
      const used = await cpuOf(bench.processes, tunnel.pids) - before;
      return {
        [figure]: bitsPerSecond / 1e9,
        ...(cpu ? { [`${figure}-cpu`]: used / (bytes / 1e9) } : {}),
      };
    },
  };
}

function udp(figure: string, size: number, offered: number): Load {
  return {
    transport: "tcp",
    figures: [figure],
    program: "iperf3",
    async measure(bench, tunnel) {
      const short = { ...bench, seconds: Math.min(bench.seconds, UDP_SECONDS) };
      const { bitsPerSecond } = await stream(short, tunnel, { udp: { size, offered } });
      // What is still on its way would be taken for the beginning of the next test.
      await pause(bench, 300);
      return { [figure]: bitsPerSecond / 1e6 };
    },
  };
}
