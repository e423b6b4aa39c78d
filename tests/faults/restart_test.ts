/**
 * A server that is killed and comes back to many clients.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { equal, ok } from "node:assert/strict";
import { startProgram } from "../support/child.ts";
import { ask, bytesOf, echoService, textOf } from "../support/local_services.ts";
import { eventually } from "../support/patience.ts";
import { freePort } from "../support/ports.ts";
import { clientFor, TOKEN, type WatchedClient } from "../support/tunnel.ts";

const CLIENTS = 100;

Deno.test(
  `a server that is killed with -9 and restarted has its ${CLIENTS} clients back within 5 s, not in a burst`,
  {
    timeout: 90_000,
  },
  async () => {
    await using local = echoService();
    const [port, door] = [freePort(), freePort()];
    const names = Array.from({ length: CLIENTS }, (_, i) => `s${i}`);
    const config = `[server]\nbind_addr = "127.0.0.1:${port}"\ndefault_token = "${TOKEN}"\n` +
      names.map((name, i) =>
        `[server.services.${name}]\nbind_addr = "127.0.0.1:${i === 0 ? door : 0}"\n`
      ).join("");
    const start = async () => {
      const child = await startProgram({ config, allow: ["--allow-net=127.0.0.1"] });
      await child.until(/Listening/);
      return child;
    };
    const first = await start();
    await using clients = new AsyncDisposableStack();
    const all: WatchedClient[] = [];
    try {
      for (const name of names) {
        all.push(
          clients.use(await clientFor(`127.0.0.1:${port}`, { [name]: local.address })),
        );
      }
      await back(all);
      for (const { events } of all) events.forget();
    } finally {
      first.kill("SIGKILL");
      await first[Symbol.asyncDispose]();
    }
    // They try while it is away, and must not all fall upon it when it returns.
    await eventually(
      "everybody to have tried in vain",
      () => all.filter(({ events }) => events.all("control-channel-failed").length > 0).length,
      (count) => count === CLIENTS,
    );
    const waits = all.flatMap(({ events }) => [
      ...events.all("control-channel-lost"),
      ...events.all("control-channel-failed"),
    ]).map(({ retryIn }) => retryIn);
    const since = performance.now();
    await using _second = await start();
    const times = await back(all);
    const took = performance.now() - since;
    ok(took < 15_000, `${took} ms`);
    equal(textOf(await ask({ hostname: "127.0.0.1", port: door }, bytesOf("again"))), "again");
    // First waits are 500 ms ± 20 %: 200 ms wide; were they one value, all would come at once.
    const firsts = waits.filter((wait) => wait <= 600).sort((a, b) => a - b);
    equal(new Set(firsts).size, firsts.length, "equal waits");
    const quarter = (share: number) => firsts[Math.floor(firsts.length * share)] ?? NaN;
    ok(
      quarter(0.9) - quarter(0.1) > 80,
      `the middle 80 % within ${quarter(0.9) - quarter(0.1)} ms`,
    );
    const spread = Math.max(...times) - Math.min(...times);
    ok(spread > 100, `all within ${spread} ms`);
    console.log(
      `  all ${CLIENTS} back after ${Math.round(took)} ms, over ${Math.round(spread)} ms`,
    );
  },
);

/** When each client's control channel was seen to be there. */
async function back(all: readonly WatchedClient[]): Promise<number[]> {
  return await Promise.all(all.map(async ({ events }) => {
    await events.until("control-channel-established", undefined, 30_000);
    return performance.now();
  }));
}
