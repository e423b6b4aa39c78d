/**
 * The two ways from the load generator to the sink that are compared: through two bare relays, and
 * through the tunnel. Either is two processes, one behind the other.
 *
 * @module
 */

import { Child, startRelays } from "../../bench/sockets/measure.ts";
import { type Pair, startPair } from "../support/peer.ts";
import { cpuTime } from "../support/process.ts";

/**
 * The frozen one among the relays of the socket probe: a loop that reads into one buffer of 64 KiB
 * and writes it. It stays what it is when the tunnel becomes faster.
 */
const FIXED = "loop:64";

/** A way to the sink. */
export interface Way {
  /** Where it is entered. */
  readonly port: number;
  /** Milliseconds of CPU that its two processes have used so far, in steps of 10 for each. */
  cpu(): Promise<number>;
}

/** Both ways, to the same sink, and the generator that takes them in turn. */
export interface Ways extends AsyncDisposable {
  readonly load: Child;
  readonly bare: Way;
  readonly tunnel: Way;
  /** Runs a body; where it fails, the message shows what the tunnel's programs printed. */
  check<T>(body: () => Promise<T>): Promise<T>;
}

/** Starts everything, in processes of their own. */
export async function startWays(): Promise<Ways> {
  await using stack = new AsyncDisposableStack();
  const load = stack.use(await Child.start("child.ts", "load"));
  const sink = stack.use(await Child.start("child.ts", "sink"));
  const relays = await startRelays(FIXED, sink);
  for (const relay of relays) stack.use(relay);
  const local = { hostname: "127.0.0.1", port: sink.port };
  const pair = stack.use(
    await startPair({ server: "ours", client: "ours" }, { load: { local } }),
  );
  const held = stack.move();
  return {
    load,
    bare: way(relays[0].port, relays),
    tunnel: way(await doorOf(pair), [pair.server, pair.client]),
    check: (body) => pair.check(body),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function way(port: number, processes: readonly { readonly pid: number }[]): Way {
  return {
    port,
    async cpu() {
      const times = await Promise.all(processes.map(({ pid }) => cpuTime(pid)));
      return times.reduce((sum, time) => sum + time, 0);
    },
  };
}

function doorOf(pair: Pair): Promise<number> {
  return pair.check((door) => Promise.resolve(door("load").port));
}
