/**
 * What lies between the two ends of a tunnel: nothing, a long way, or a link that loses packets.
 * Visitors are always at the server and the web server always at the client, so that only what the
 * tunnel sends has to cross it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { freePort } from "../../tests/support/ports.ts";
import { HOST, type Place } from "./configs.ts";
import type { Bench } from "./context.ts";
import { LossyNetwork } from "./lossy.ts";
import { requireProgram } from "./programs.ts";
import { startWeb } from "./web.ts";

/** A line that is measured. */
export type LineName = "loopback" | "delay" | "loss";

/** Milliseconds that the line with delay takes in each direction: half of a round trip. */
export const DELAY = 25;

/** Packets of a hundred that the line with loss loses in each direction. */
export const LOSS = 1;

/** A line for one tunnel. */
export interface Line extends AsyncDisposable {
  /** Where the server listens, and where the client looks for it. */
  readonly place: Place;
  /** The hosts of this tunnel, which its ends may use. */
  readonly hosts: readonly string[];
  /** What a command begins with that is to run at the client's end. */
  readonly atClient: readonly string[];
  /** The port of 127.0.0.1 at the client's end where the web server is. */
  readonly web: number;
}

/** Makes a line for a server that listens on this port. */
export function startLine(bench: Bench, name: LineName, control: number): Promise<Line> {
  switch (name) {
    case "loopback":
      return Promise.resolve(loopback(bench, control));
    case "delay":
      return delayed(bench, control);
    case "loss":
      return lossy(bench, control);
  }
}

function loopback({ web }: Bench, control: number): Line {
  const address = `${HOST}:${control}`;
  return {
    place: { bind: address, remote: address },
    hosts: [HOST],
    atClient: [],
    web,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** With a relay in between, which keeps everything for a while. */
async function delayed(bench: Bench, control: number): Promise<Line> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const relay = stack.use(bench.processes.start([
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", `--allow-net=${HOST}`],
    fileURLToPath(new URL("late_relay.ts", import.meta.url)),
    ...[`${port}`, `${control}`, `${DELAY}`],
  ]));
  await relay.until(/listening/);
  const owned = stack.move();
  return {
    ...loopback(bench, control),
    place: { bind: `${HOST}:${control}`, remote: `${HOST}:${port}` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** With a network of its own, and a web server at the far end of it. */
async function lossy(bench: Bench, control: number): Promise<Line> {
  await using stack = new AsyncDisposableStack();
  const { processes, programs } = bench;
  const network = stack.use(await LossyNetwork.make(processes, programs, LOSS));
  const web = stack.use(
    await startWeb(processes, requireProgram("nginx", programs), network.inside),
  );
  const address = `${network.near}:${control}`;
  const owned = stack.move();
  return {
    place: { bind: address, remote: address },
    hosts: [HOST, network.near],
    atClient: network.inside,
    web: web.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
