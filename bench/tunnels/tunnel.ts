/**
 * The tunnel that is measured: two processes, started as in production.
 *
 * @module
 */

import { join } from "node:path";
import { type InteropTransport, TRANSPORTS } from "../../tests/support/interop_transports.ts";
import { freePort } from "../../tests/support/ports.ts";
import { type Configs, frpConfigs, HOST, ratholeConfigs, type Service } from "./configs.ts";
import { type Bench, pause } from "./context.ts";
import { isBound } from "./proc.ts";
import { startEnd } from "./ends.ts";
import { type LineName, startLine } from "./line.ts";
import type { Subject } from "./results.ts";
import { visitOnce } from "./visit.ts";

/** A transport that is measured, and what the table of interoperability calls it. */
const NAMES = {
  tcp: "tcp",
  tls: "tls",
  noise: "noise NK",
  ws: "websocket",
  wss: "websocket, tls",
} as const;

/** A transport that is measured. */
export type TransportName = keyof typeof NAMES;

/** How long the first visitor may have to wait, in milliseconds. */
const PATIENCE = 15_000;

/** Milliseconds from the door for datagrams, which is looked for, to the other one of iperf3. */
const DOORS_APART = 200;

/** A tunnel that visitors can use. */
export interface Tunnel extends AsyncDisposable {
  /** The server's process and the client's. */
  readonly pids: readonly number[];
  /** Where visitors of the web server connect. */
  readonly web: number;
  /** Where iperf3 connects, over TCP and UDP, and the port where its server has to listen. */
  readonly iperf3: { readonly door: number; readonly local: number };
  /**
   * Milliseconds from the start of the server, which the client's follows as soon as it listens, to
   * the first reply.
   */
  readonly firstVisitor: number;
  /** Whether both ends still run. */
  readonly alive: boolean;
  /** The last that both ends printed. */
  readonly log: string;
}

/** What a tunnel is to be. */
export interface TunnelOptions {
  readonly transport?: TransportName;
  /** What lies between its ends; nothing unless told. */
  readonly line?: LineName;
  /** Whether it has the web server as its only service. */
  readonly webOnly?: boolean;
}

/** Starts a tunnel; resolves when all of its services are there. */
export async function startTunnel(
  bench: Bench,
  subject: Subject,
  { line: lineName = "loopback", transport = "tcp", webOnly = false }: TunnelOptions = {},
): Promise<Tunnel> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const { options } = stack.use(await transportOf(transport).settings());
  const [control, web, door, local] = [freePort(), freePort(), freePort(), freePort()];
  const line = stack.use(await startLine(bench, lineName, control));
  const services: Service[] = [{ name: "web", type: "tcp", door: web, local: line.web }];
  if (!webOnly) {
    services.push({ name: "iperf3_tcp", type: "tcp", door, local });
    services.push({ name: "iperf3_udp", type: "udp", door, local });
  }
  const configs = subject === "frp"
    ? frpConfigs(line.place, services)
    : ratholeConfigs(line.place, services, {
      transport: options,
      ...(subject === "channels" ? { carriers: 0 } : {}),
    });
  const files = { server: join(folder, "server.toml"), client: join(folder, "client.toml") };
  await Deno.writeTextFile(files.server, configs.server);
  await Deno.writeTextFile(files.client, configs.client);
  const began = performance.now();
  const start = (side: keyof Configs) =>
    stack.use(startEnd(bench, subject, side, files[side], line, options.read ?? []));
  const ends = [start("server")];
  const isOver = () => ends.some(({ over }) => over);
  const log = () => ends.map(({ text }) => text.trim()).join("\n");
  try {
    // A client that finds nobody waits before it tries again, each program for another while.
    await until(bench, isOver, () => knock(bench, line.place.bind, control));
    ends.push(start("client"));
    await until(bench, isOver, () => visitOnce(web));
    const firstVisitor = performance.now() - began;
    if (!webOnly) {
      await until(bench, isOver, () => doors(bench, door));
      await pause(bench, DOORS_APART);
    }
    const owned = stack.move();
    return {
      pids: ends.map(({ pid }) => pid),
      web,
      iperf3: { door, local },
      firstVisitor,
      get alive() {
        return !isOver();
      },
      get log() {
        return log();
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  } catch (cause) {
    bench.signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : cause;
    throw new Error(`no tunnel of ${subject}: ${why}\n${log()}`, { cause });
  }
}

/** Resolves when somebody listens; this process may connect to nobody but {@linkcode HOST}. */
async function knock(bench: Bench, bind: string, port: number): Promise<void> {
  if (bind.startsWith(`${HOST}:`)) (await Deno.connect({ hostname: HOST, port })).close();
  else if (!await isBound(bench.processes, "tcp", port)) throw new Error("nobody listens");
}

/** Fails as long as there are no doors for iperf3: a visit would tell its server of a test. */
async function doors(bench: Bench, port: number): Promise<void> {
  if (!await isBound(bench.processes, "udp", port)) {
    throw new Error("its services are not all there");
  }
}

/** Tries every few milliseconds until something does not fail; not when an end is over. */
async function until(bench: Bench, over: () => boolean, attempt: () => Promise<void>) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end || over()) throw error;
    }
    await pause(bench, 2);
  }
}

function transportOf(name: TransportName): InteropTransport {
  const found = TRANSPORTS.find((transport) => transport.name === NAMES[name]);
  if (found === undefined) throw new Error(`no transport ${NAMES[name]}`);
  return found;
}
