/**
 * Forwarded streams that are cut after any byte, whatever the transport makes of it: plain bytes,
 * sealed frames, WebSocket messages, TLS records. Visitor and service are closed at once, nothing
 * is kept, and nobody spins.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-run
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import process from "node:process";
import type { Connection } from "../../src/net/connection.ts";
import { pump } from "../../src/net/pump.ts";
import { readExact } from "../../src/net/read_exact.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { Certificates } from "../support/certificates.ts";
import { type Cut, CutRelay, type Direction } from "../support/cut_relay.ts";
import { countable, descriptors } from "../support/descriptors.ts";
import { eventually, pause, soon } from "../support/patience.ts";
import { ANYWHERE, tcpPair } from "../support/tcp_pair.ts";
import { openRow, type TransportRow, transportRows } from "../support/transport_rows.ts";

const OPTIONS = { timeout: 120_000 };
const AT_ONCE = 8;
const PARTS = [20, 7] as const;
const BYTES = PARTS.reduce((sum, length) => sum + length, 0);
/** Milliseconds; 100 are the goal, on a machine that has nothing else to do. */
const SOON = 2_000;

/** How it reads that a stream has ended where none can. */
const TORN = /within a (noise|WebSocket) message|without (a )?close_notify|cut/i;
/** Places in each direction where one may: before, between and after the parts. */
const SEAMS = PARTS.length + 1;
/** Bytes of TLS 1.3's record of it. */
const CLOSE_NOTIFY = 24;

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
// Client certificates change the handshake, noise patterns the keys: what follows is the same.
const ROWS = (await transportRows(made)).filter(({ name }) => !/certificate|XX/.test(name));

/** Asks in parts, each of which the service returns, then ends; the reply must be complete. */
async function talk(visitor: Connection): Promise<void> {
  for (const length of PARTS) {
    await visitor.write(new Uint8Array(length).fill(length));
    deepEqual((await readExact(visitor, length)).slice(), new Uint8Array(length).fill(length));
  }
  await visitor.closeWrite();
  equal(await visitor.read(), null);
}

async function echo(service: Connection): Promise<void> {
  for (let chunk = await service.read(); chunk !== null; chunk = await service.read()) {
    await service.write(chunk);
  }
  await service.closeWrite();
}

/** What a visitor and a service see of a stream that is cut; all is closed in the end. */
async function attempt([server, client]: readonly Transport[], cut?: Cut) {
  if (server === undefined || client === undefined) throw new Error("unreachable");
  using listener = server.bind(ANYWHERE);
  await using relay = await CutRelay.to(listener.address);
  const link = relay.expect(undefined);
  const { signal } = new AbortController();
  const [near, far] = await Promise.all([
    client.connect(relay.address, { signal }),
    listener.accept().then((incoming) => incoming.handshake()),
  ]);
  const [[visitor, door], [local, service]] = await Promise.all([tcpPair(), tcpPair()]);
  const before = { ...link.passed };
  if (cut !== undefined) link.arm(cut);
  const counters = () => ({ forward: { bytes: 0 }, backward: { bytes: 0 } });
  const pumps = Promise.all([pump(door, far, counters()), pump(local, near, counters())]);
  // Who got less than all leaves, as any program would: an end of both directions is an error to
  // those transports only that can tell it from two half-closes.
  const leave = (error: unknown) => {
    visitor.abort();
    return String(error);
  };
  const ends = Promise.all([talk(visitor).then(() => null, leave), echo(service).catch(String)]);
  const what = JSON.stringify(cut ?? "no cut");
  if (cut !== undefined) await soon(`the cut, ${what}`, link.over);
  const start = performance.now();
  const [said] = await soon(`both ends, ${what}`, ends);
  const reasons = await soon(`the pumps, ${what}`, pumps);
  for (const reason of reasons) {
    ok(reason === null || reason instanceof RatholeError, Deno.inspect(reason));
  }
  const took = performance.now() - start;
  visitor.abort();
  service.abort();
  await link.closed;
  const { passed } = link;
  return {
    said,
    took,
    torn: reasons.some((reason) => TORN.test(String(reason))),
    up: passed.up - before.up,
    down: passed.down - before.down,
  };
}

/** Milliseconds of CPU that this process uses while nobody asks it for anything. */
async function used(): Promise<number> {
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const before = cpu();
  await pause(300);
  return cpu() - before;
}

async function cutEverywhere(t: Deno.TestContext, row: TransportRow, how: Cut["how"]) {
  const transports = await openRow(row);
  const whole = await attempt(transports);
  equal(whole.said, null);
  const before = countable ? await descriptors() : 0;
  const cuts = (["up", "down"] as const satisfies Direction[]).flatMap((direction) =>
    Array.from({ length: whole[direction] }, (_, after) => ({ direction, after, how }))
  );
  ok(cuts.length >= 2 * BYTES);
  let slowest = 0;
  let seams = 0;
  const queue = cuts.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const cut of queue) {
      const { took, torn } = await attempt(transports, cut);
      slowest = Math.max(slowest, took);
      if (!torn) seams++;
    }
  }));
  // A plain stream has nothing that tells one end from another.
  // A WebSocket's end is told before that of the TLS below it.
  const most = 2 * (SEAMS + (row.name === "websocket over tls" ? CLOSE_NOTIFY : 0));
  if (how === "FIN" && row.name !== "tcp") ok(seams <= most, `${seams} cuts passed for ends`);
  if (countable) await eventually("descriptors", descriptors, (now) => now <= before);
  const idle = await eventually("an idle process", used, (ms) => ms < 100);
  await t.step(
    `${cuts.length} cuts, closed after ${slowest.toFixed(0)} ms at most, then ${
      idle.toFixed(0)
    } ms of CPU in 300`,
    () => ok(slowest < SOON),
  );
}

for (const row of ROWS) {
  for (const how of ["FIN", "RST"] as const) {
    Deno.test(
      `${row.name}: a stream with a ${how} after any byte is closed within 100 ms`,
      OPTIONS,
      (t) => cutEverywhere(t, row, how),
    );
  }
}
