/**
 * Readers that never read, with as much behind them as anybody cares to send.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { ok } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { type InteropTransport, TRANSPORTS } from "../support/interop_transports.ts";
import {
  closeQuietly,
  echoService,
  expectLost,
  readBytes,
  type TcpService,
  tcpService,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import { type Pair, startPair } from "../support/peer.ts";
import { anonymousMemory, idle, settledMemory, TIDY } from "../support/process.ts";
import { aborted } from "../support/raw.ts";

const MIB = 1 << 20;
/** Pairs that are stuck at once: enough that what is not theirs is little for each. */
const STUCK = 40;
/** What a writer would write if somebody took it. */
const OFFERED = 10e9;
/** Most of what is taken of it waits in four kernel buffers, of 4 to 6 MiB each. */
const MOST_TAKEN = 64 * MIB;
/** MiB that each end may hold for a pair: 1 is the goal, the rest is garbage not collected yet. */
const MOST_HELD = 3;
const CHUNK = new Uint8Array(256 << 10);
const ROWS = ["tcp", "tls", "noise NK", "websocket", "websocket, tls"];

/** Who writes, and how much of it was taken. */
class Writers {
  count = 0;
  taken = 0;

  readonly write = async (to: Deno.TcpConn): Promise<void> => {
    this.count++;
    try {
      for (let left = OFFERED; left > 0;) {
        const count = await to.write(CHUNK);
        left -= count;
        this.taken += count;
      }
    } catch (error) {
      expectLost(error);
    }
  };

  /** Resolves when so many write and nothing is taken any more. */
  async stuck(count: number): Promise<void> {
    await eventually("all to write", () => this.count, (now) => now === count);
    await eventually("all to be stuck", async () => {
      const before = this.taken;
      await pause(300);
      return this.taken - before;
    }, (more) => more === 0);
  }
}

/** Requests of 100 bytes that one visitor has answered in a tenth of a second, at best. */
async function rate(door: Address): Promise<number> {
  using visitor = await visit(door);
  visitor.setNoDelay(true);
  const question = new Uint8Array(100);
  let best = 0;
  for (let round = 0; round < 4; round++) {
    let count = 0;
    for (const end = performance.now() + 100; performance.now() < end; count++) {
      await writeAll(visitor, question);
      await readBytes(visitor, question.length);
    }
    best = Math.max(best, count);
  }
  return best;
}

/** Traffic of others: what is kept for later is made by it, and what is garbage is collected. */
async function traffic(door: Address): Promise<void> {
  const bulk = new Uint8Array(4 * MIB);
  await Promise.all(Array.from({ length: 16 }, async () => {
    using visitor = await visit(door);
    await Promise.all([writeAll(visitor, bulk), readBytes(visitor, bulk.length)]);
  }));
}

/** MiB that each end holds for one of the pairs, beyond what it had before. */
async function heldBy({ client, server }: Pair, before: readonly number[]): Promise<number[]> {
  const after = await Promise.all([server, client].map(({ pid }) => anonymousMemory(pid)));
  return after.map((bytes, i) => (bytes - (before[i] ?? 0)) / STUCK / MIB);
}

/** Has as many visitors as are to be stuck, and says in a step's name what they cost. */
async function stick(t: Deno.TestContext, pair: Pair, { busy, echo, writers, visitorsWrite }: {
  readonly busy: Address;
  readonly echo: Address;
  readonly writers: Writers;
  readonly visitorsWrite: boolean;
}): Promise<void> {
  const { client, server } = pair;
  const before = await Promise.all([server, client].map(({ pid }) => settledMemory(pid)));
  const alone = await rate(echo);
  const visitors = await Promise.all(Array.from({ length: STUCK }, () => visit(busy)));
  const writing = visitorsWrite ? visitors.map(writers.write) : [];
  try {
    await writers.stuck(STUCK);
    await idle(server.pid, "the server");
    await idle(client.pid, "the client");
    // Another's load may fall into one measurement, and some garbage is nobody's fault.
    const beside = await eventually("the neighbour", () => rate(echo), (it) => it >= alone / 2);
    const held = await eventually("memory", async () => {
      await rate(echo);
      return await heldBy(pair, before);
    }, (each) => each.every((mib) => mib <= MOST_HELD));
    const taken = writers.taken / STUCK;
    const figures = `server ${held[0]?.toFixed(2)} MiB a pair, client ${held[1]?.toFixed(2)}; ` +
      `${(taken / MIB).toFixed(1)} MiB taken with all kernel buffers; a neighbour has ` +
      `${Math.round(100 * beside / alone)} % of its rate`;
    await t.step(figures, () => ok(taken <= MOST_TAKEN));
  } finally {
    for (const visitor of visitors) closeQuietly(visitor);
    await Promise.all(writing);
  }
}

async function measure(t: Deno.TestContext, transport: InteropTransport, reader: string) {
  const writers = new Writers();
  const silent = (_connection: Deno.TcpConn, signal: AbortSignal) => aborted(signal);
  const visitorsWrite = reader === "service";
  await using busy: TcpService = tcpService(visitorsWrite ? silent : writers.write);
  await using local = echoService();
  await using settings = await transport.settings();
  await using pair = await startPair({ server: "ours", client: "ours" }, {
    busy: { local: busy.address },
    echo: { local: local.address },
  }, { ...settings.options, env: TIDY });
  await pair.check(async (door) => {
    const echo = door("echo");
    await traffic(echo);
    await traffic(echo);
    // What let itself in to see whether the door is open writes too.
    await eventually("the door's test to be over", () => busy.accepted, (n) => n === 1);
    writers.count = writers.taken = 0;
    await stick(t, pair, { busy: door("busy"), echo, writers, visitorsWrite });
  });
}

for (const transport of TRANSPORTS.filter(({ name }) => ROWS.includes(name))) {
  for (const reader of ["visitor", "service"]) {
    Deno.test(
      `${transport.name}: a ${reader} that never reads, 10 GB behind it: ≤ 1 MiB held for the pair, ≤ ${MOST_HELD} with garbage`,
      { ignore: Deno.build.os !== "linux", timeout: 60_000 },
      (t) => measure(t, transport, reader),
    );
  }
}
