/**
 * A server that is out of file descriptors: visitors have taken them all.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { equal, match, ok } from "node:assert/strict";
import { bothWays } from "../support/both_ways.ts";
import { type Child, startChild, textFile, withFile } from "../support/child.ts";
import {
  ask,
  bytesOf,
  closeQuietly,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import { freePort } from "../support/ports.ts";
import { cpuTime, openDescriptors } from "../support/process.ts";
import { Strangers } from "../support/strangers.ts";
import { clientFor, TOKEN } from "../support/tunnel.ts";

/** Deno raises the soft limit to this one by itself. */
const LIMIT = 256;

/** A server of ours in a process that may have few descriptors, and its services' ports. */
async function cramped(
  at: string,
  doors: Readonly<Record<string, number>>,
): Promise<Child> {
  const lines = Object.entries(doors).map(([name, port]) =>
    `[server.services.${name}]\nbind_addr = "127.0.0.1:${port}"\n`
  );
  const text = `[server]\nbind_addr = "${at}"\ndefault_token = "${TOKEN}"\n${lines.join("")}`;
  const file = await textFile(bothWays(text));
  const args = [
    ...["-c", `ulimit -Sn ${LIMIT} && ulimit -Hn ${LIMIT} && exec "$0" "$@"`, Deno.execPath()],
    ...["run", "--quiet", "--no-prompt", `--allow-read=${file.path}`, "--allow-env=RUST_LOG"],
    ...["--allow-net=127.0.0.1", "mod.ts", file.path],
  ];
  const child = withFile(startChild("sh", { args, env: { RUST_LOG: "info" } }), file);
  await child.until(/Listening addr/);
  return child;
}

Deno.test(
  `${LIMIT} descriptors and 400 idle visitors: a new client gets in, no spin, no exit, serving ≤ 1 s after relief`,
  { timeout: 60_000 },
  async () => {
    await using local = echoService();
    const doors = { crowded: freePort(), late: freePort() };
    const at = `127.0.0.1:${freePort()}`;
    await using server = await cramped(at, doors);
    await using _client = await clientFor(at, { crowded: local.address });
    await server.until(/Listening for visitors.*crowded/);
    const crowded = { hostname: "127.0.0.1", port: doors.crowded };
    const late = { hostname: "127.0.0.1", port: doors.late };

    // Somebody who is served before, and is to be served still.
    using first = await visit(crowded);
    await writeAll(first, bytesOf("first"));
    await readBytes(first, 5);
    // Visitors who say nothing and stay; those who are sent away come back no more.
    using crowd = await Strangers.connect(crowded, 400);
    await server.until(/Cannot accept connections.*no file descriptors left|Too many open files/);
    await server.until(/made way: no file descriptors left|Visitor refused/);

    // A client that comes only now.
    const start = performance.now();
    await using _late = await clientFor(at, { late: local.address });
    await server.until(/Listening for visitors.*late/);
    const entered = performance.now() - start;
    await writeAll(first, bytesOf("again"));
    equal(textOf(await readBytes(first, 5)), "again");
    const stayed = crowd.open;
    const held = await openDescriptors(server.pid);
    // A visitor on a carrier takes one descriptor, and is counted as two.
    ok(held > LIMIT / 3, `${held} descriptors: the crowd is gone`);

    // Nothing to do, and nothing done.
    const before = await cpuTime(server.pid);
    await pause(2_000);
    const used = await cpuTime(server.pid) - before;
    ok(used < 600, `${used} ms of CPU in 2 s`);

    // Room again: visitors of the crowded service are served.
    crowd[Symbol.dispose]();
    const relief = performance.now();
    await eventually(
      "to be served",
      async () => {
        try {
          return textOf(await ask(crowded, bytesOf("relief"), 1_000));
        } catch (error) {
          return `${error}`;
        }
      },
      (reply) => reply === "relief",
      10_000,
    );
    const served = performance.now() - relief;
    equal(textOf(await ask(late, bytesOf("late"))), "late");
    ok(served < 3_000, `${served} ms`);
    closeQuietly(first);
    console.log(
      `  a new client is in after ${entered.toFixed(0)} ms; ${stayed} idle visitors ` +
        `stayed, ${held} of ${LIMIT} descriptors; ${used} ms of CPU in 2 s; served ${
          served.toFixed(0)
        } ms after relief`,
    );
    server.kill();
    const { code } = await server.ended();
    equal(code, 0);
    match(server.text, /Stopped/);
  },
);
