/**
 * SIGTERM and SIGINT, as systemd, Docker and Ctrl-C send them, to either end.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, doesNotMatch, equal, ok } from "node:assert/strict";
import { refusedAt } from "../support/doors.ts";
import {
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  readToEnd,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { type Pair, startPair } from "../support/peer.ts";

const OPTIONS = { ignore: Deno.build.os === "windows", timeout: 60_000 };
/** Lines of both ends: a limit that no test waits for, or a short one. */
const limit = (seconds: number) => {
  const line = `drain_timeout = ${seconds}`;
  return { server: line, client: line };
};

/** A visitor in the middle of something. */
async function halfway(
  pair: Pair,
  seconds: number,
  body: (visitor: Deno.TcpConn) => Promise<void>,
) {
  await pair.check(async (door) => {
    using visitor = await visit(door("it"));
    await writeAll(visitor, bytesOf("one"));
    deepEqual(await readBytes(visitor, 3), bytesOf("one"));
    const start = performance.now();
    await body(visitor);
    const took = (performance.now() - start) / 1000;
    ok(took < seconds, `${took} s`);
  });
}

/** How the program ended: as it should, by itself, without a word about a fault. */
async function endsWell(pair: Pair, end: "server" | "client"): Promise<void> {
  deepEqual(await pair[end].ended(), { success: true, code: 0, signal: null });
  doesNotMatch(pair[end].text, /Fault|Uncaught|did not stop in time/);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  for (const end of ["server", "client"] as const) {
    const start = async (
      local: { readonly address: { hostname: string; port: number } },
      s: number,
    ) =>
      await startPair(
        { server: "ours", client: "ours" },
        { it: { local: local.address } },
        limit(s),
      );

    Deno.test(
      `${signal} at the ${end}: nothing new, open streams finish, exit 0`,
      OPTIONS,
      async () => {
        await using local = echoService();
        await using pair = await start(local, 600);
        await halfway(pair, 15, async (visitor) => {
          pair[end].kill(signal);
          await pair[end].until(/Shutting down/);
          const at = { hostname: visitor.remoteAddr.hostname, port: visitor.remoteAddr.port };
          await refusedAt(at);
          const rest = bytesOf("two".repeat(100_000));
          const writing = writeAll(visitor, rest).then(() => visitor.closeWrite());
          deepEqual(await readToEnd(visitor), rest);
          await writing;
          await endsWell(pair, end);
        });
      },
    );

    Deno.test(
      `${signal} at the ${end}: streams are cut after drain_timeout = 1, exit 0`,
      OPTIONS,
      async () => {
        await using local = echoService();
        await using pair = await start(local, 1);
        await halfway(pair, 10, async (visitor) => {
          const since = performance.now();
          pair[end].kill(signal);
          await closedByPeer(visitor);
          ok(performance.now() - since > 900);
          await endsWell(pair, end);
        });
      },
    );

    Deno.test(`a second ${signal} ends the ${end} at once, exit 0`, OPTIONS, async () => {
      await using local = echoService();
      await using pair = await start(local, 600);
      await halfway(pair, 10, async (visitor) => {
        pair[end].kill(signal);
        await pair[end].until(/Shutting down/);
        equal(/Ending open connections/.test(pair[end].text), false);
        pair[end].kill(signal);
        await pair[end].until(/Ending open connections/);
        await endsWell(pair, end);
        await closedByPeer(visitor);
      });
    });
  }
}
