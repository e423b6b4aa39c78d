/**
 * The loads that one tunnel carries one after the other, and the figures that each gives.
 *
 * @module
 */

import { download, stream, visit } from "./carry.ts";
import { type Bench, LINE_SECONDS, pause, UDP_SECONDS } from "./context.ts";
import type { BulkLoad } from "./iperf3.ts";
import { cpuOf } from "./proc.ts";
import type { ProgramName } from "./programs.ts";
import type { Tunnel, TunnelOptions } from "./tunnel.ts";
import type { HttpVisitors } from "./wrk.ts";

/** Figure → value, in the figure's unit. */
export type Values = Readonly<Record<string, number>>;

/** The tunnels that a subject has one after the other, and what each is. */
export const TUNNELS = {
  tcp: {},
  tls: { transport: "tls" },
  noise: { transport: "noise" },
  ws: { transport: "ws" },
  wss: { transport: "wss" },
  mixed: { webOnly: true },
  delay: { webOnly: true, line: "delay" },
  loss: { webOnly: true, line: "loss" },
} as const satisfies Readonly<Record<string, TunnelOptions>>;

/** One of them. */
export type TunnelName = keyof typeof TUNNELS;

/** In the order in which they are measured. */
export const TUNNEL_NAMES = Object.keys(TUNNELS) as readonly TunnelName[];

/** Seconds that a download takes besides: to start, to get going, and to end. */
const DOWNLOAD_SECONDS = 1.5;

/** Those that have a harder time: a download beside requests, a long line, one that loses packets. */
export const LINES = ["mixed", "delay", "loss"] as const satisfies readonly TunnelName[];

/** A load, and what is measured while it is carried. */
export interface Load {
  readonly tunnel: TunnelName;
  /** All that it gives; the first is the rate. */
  readonly figures: readonly [string, ...string[]];
  readonly program: ProgramName;
  /** For how long at most, in seconds, and how many it takes besides. */
  readonly most?: number;
  readonly besides?: number;
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
  ...(["tls", "noise", "ws", "wss"] as const).flatMap((tunnel) => [
    http(`${tunnel}.keep-alive`, { connections: 64 }, { tunnel, latency: [] }),
    tcp(`${tunnel}.bulk`, {}, { tunnel }),
  ]),
  mixed("mixed", "mixed.keep-alive", "mixed.bulk"),
  ...(["delay", "loss"] as const).flatMap((tunnel) => [
    http(`${tunnel}.keep-alive-1`, { connections: 1 }, { tunnel, latency: ["p99"] }),
    http(`${tunnel}.keep-alive`, { connections: 64 }, { tunnel, latency: ["p99"] }),
    http(`${tunnel}.keep-alive-512`, { connections: 512 }, { tunnel, latency: ["p99"] }),
    http(`${tunnel}.new`, { connections: 32, fresh: true }, { tunnel, latency: ["p99"] }),
    mixed(tunnel, `${tunnel}.mixed`, `${tunnel}.mixed-bulk`),
    ...tunnel === "delay" ? [bulk(tunnel, `${tunnel}.bulk`)] : [],
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

interface Traits {
  readonly tunnel?: TunnelName;
  readonly cpu?: boolean;
  readonly latency?: readonly Latency[];
}

type Latency = "p50" | "p99";

/** The same, where rates are measured for so many seconds at most. */
function shortened(bench: Bench, most: number): Bench {
  return { ...bench, seconds: Math.min(bench.seconds, most) };
}

/** Whether a tunnel is one of {@linkcode LINES}. */
export function isLine(tunnel: string): boolean {
  return (LINES as readonly string[]).includes(tunnel);
}

function http(
  figure: string,
  visitors: HttpVisitors,
  { cpu = false, latency = ["p50", "p99"], tunnel = "tcp" }: Traits = {},
): Load {
  const more = [...(cpu ? ["cpu"] : []), ...latency];
  const most = isLine(tunnel) ? LINE_SECONDS : Infinity;
  return {
    tunnel,
    figures: [figure, ...more.map((what) => `${figure}-${what}`)],
    program: "wrk",
    most,
    async measure(bench, carrying) {
      const before = await cpuOf(bench.processes, carrying.pids);
      const found = await visit(shortened(bench, most), carrying, visitors);
      const used = await cpuOf(bench.processes, carrying.pids) - before;
      return {
        [figure]: found.rate,
        ...(cpu ? { [`${figure}-cpu`]: used / found.requests * 1e6 } : {}),
        ...Object.fromEntries(latency.map((what) => [`${figure}-${what}`, found[what]])),
      };
    },
  };
}

function tcp(
  figure: string,
  load: BulkLoad,
  { cpu = false, tunnel = "tcp" }: Traits = {},
): Load {
  return {
    tunnel,
    figures: [figure, ...(cpu ? [`${figure}-cpu`] : [])],
    program: "iperf3",
    async measure(bench, carrying) {
      const before = await cpuOf(bench.processes, carrying.pids);
      const { bitsPerSecond, bytes } = await stream(bench, carrying, load);
      const used = await cpuOf(bench.processes, carrying.pids) - before;
      return {
        [figure]: bitsPerSecond / 1e9,
        ...(cpu ? { [`${figure}-cpu`]: used / (bytes / 1e9) } : {}),
      };
    },
  };
}

function udp(figure: string, size: number, offered: number): Load {
  return {
    tunnel: "tcp",
    figures: [figure],
    program: "iperf3",
    most: UDP_SECONDS,
    besides: 0.5,
    async measure(bench, tunnel) {
      const short = shortened(bench, UDP_SECONDS);
      const { bitsPerSecond } = await stream(short, tunnel, { udp: { size, offered } });
      // What is still on its way would be taken for the beginning of the next test.
      await pause(bench, 300);
      return { [figure]: bitsPerSecond / 1e6 };
    },
  };
}

/** A download, and requests of 64 other visitors of the same service. */
function mixed(tunnel: TunnelName, figure: string, bulkFigure: string): Load {
  const latency: readonly Latency[] = tunnel === "mixed" ? ["p50", "p99"] : ["p99"];
  return {
    tunnel,
    figures: [figure, ...latency.map((what) => `${figure}-${what}`), bulkFigure],
    program: "wrk",
    most: LINE_SECONDS,
    besides: DOWNLOAD_SECONDS,
    async measure(bench, carrying) {
      const { bitsPerSecond, result } = await download(
        bench,
        carrying,
        () => visit(shortened(bench, LINE_SECONDS), carrying, { connections: 64 }),
      );
      return {
        [figure]: result.rate,
        ...Object.fromEntries(latency.map((what) => [`${figure}-${what}`, result[what]])),
        [bulkFigure]: bitsPerSecond / 1e9,
      };
    },
  };
}

/** A download alone. */
function bulk(tunnel: TunnelName, figure: string): Load {
  return {
    tunnel,
    figures: [figure],
    program: "wrk", // by which the tunnel is warmed up
    most: LINE_SECONDS,
    besides: DOWNLOAD_SECONDS,
    async measure(bench, carrying) {
      const { seconds } = shortened(bench, LINE_SECONDS);
      const { bitsPerSecond } = await download(
        bench,
        carrying,
        () => pause(bench, seconds * 1000),
      );
      return { [figure]: bitsPerSecond / 1e9 };
    },
  };
}
