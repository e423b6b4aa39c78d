/**
 * A peer of rathole 0.5.0 must notice nothing of what two of ours add: byte for byte. Peers made by
 * hand, and the Rust program behind a relay that keeps what is said.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Address } from "../mod.ts";
import { serviceDigest, sessionKey } from "../src/protocol/auth.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { concat } from "./fuzz/engine/pieces.ts";
import { startChild, textFile } from "./support/child.ts";
import { accepting } from "./support/doors.ts";
import { ask, bytesOf, echoService, readBytes, textOf, visit } from "./support/local_services.ts";
import { eventually, pause } from "./support/patience.ts";
import { ESTABLISHED, ignore, missing, peer } from "./support/peer.ts";
import { freePort } from "./support/ports.ts";
import { aborted, forwardTcp, rawClient, rawServer } from "./support/raw.ts";
import { clientFor, serverFor, TOKEN } from "./support/tunnel.ts";
import { type Wiretap, wiretap } from "./support/wiretap.ts";

const HELLO = 37;
const ACK = 4;
const CREATE = Uint8Array.of(0, 0, 0, 0);
const creates = (count: number) => concat(Array(count).fill(CREATE));

for (const carriers of [8, 0]) {
  Deno.test(`what a stock client gets of our server, carriers = ${carriers}`, async () => {
    await using server = await serverFor({ it: {} }, { carriers, heartbeat_interval: 0 });
    await using tap = wiretap(server.server.address);
    using client = await rawClient(tap.address);
    const door = await server.door();
    const channels = await Promise.all(
      Array.from({ length: 8 }, () => client.openDataChannel()),
    );
    try {
      await eventually("a reserve", () => server.service().dataChannelsIdle, (n) => n === 8);
      const visitors: Deno.TcpConn[] = [];
      for (let i = 0; i < 3; i++) visitors.push(await visit(door));
      await eventually("visitors", () => server.service().dataChannelsInUse, (n) => n === 3);
      // What would come later would be too much as well.
      await pause(1500);
      const control = tap.links.find(({ kind }) => kind === "control");
      ok(control);
      deepEqual(control.down.subarray(0, 5), Uint8Array.of(0, 0, 0, 0, 1));
      // An ack, 8 requests, and another for each visitor.
      deepEqual(control.down.subarray(HELLO), concat([new Uint8Array(ACK), creates(8 + 3)]));
      const data = tap.links.filter(({ kind }) => kind === "data").map(({ down }) => down);
      deepEqual(data.filter(({ length }) => length > 0), [forwardTcp, forwardTcp, forwardTcp]);
      for (const visitor of visitors) visitor.close();
    } finally {
      for (const channel of channels) channel.close();
    }
  });

  Deno.test(`nothing but requests and heartbeats, ever, carriers = ${carriers}`, async () => {
    await using server = await serverFor({ it: {} }, { carriers, heartbeat_interval: 1 });
    await using tap = wiretap(server.server.address);
    using _client = await rawClient(tap.address);
    await pause(3200);
    const [control] = tap.links;
    const down = control?.down.subarray(HELLO + ACK) ?? new Uint8Array(0);
    deepEqual(down.subarray(0, 32), creates(8));
    const words = Array.from({ length: down.length / 4 }, (_, i) => down.slice(4 * i, 4 * i + 4));
    equal(words.every(([tag = 9, ...zeros]) => tag < 2 && zeros.every((b) => b === 0)), true);
    equal(words.filter(([tag]) => tag === 1).length, 3);
  });

  Deno.test(`what a stock server gets of our client, carriers = ${carriers}`, async () => {
    await using local = echoService();
    await using server = rawServer(async (session) => {
      await session.create(3);
      for (let i = 0; i < 3; i++) {
        const channel = await session.dataChannel();
        await channel.write(forwardTcp);
        await channel.write(bytesOf("hello"));
        deepEqual(await readBytes(channel, 5), bytesOf("hello"));
      }
      await aborted(session.signal);
    });
    await using tap = wiretap(server.address);
    await using client = await clientFor(formatAddress(tap.address), { it: local.address }, {
      carriers,
      heartbeat_timeout: 0,
    });
    await eventually("visitors", () => client.service().visitors, (n) => n === 3);
    await pause(1500);
    deepEqual(tap.links.map(({ kind }) => kind), ["control", "data", "data", "data"]);
    const [control, ...data] = tap.links;
    ok(control);
    const nonce = control.down.slice(5, HELLO);
    const key = await sessionKey(TOKEN, nonce);
    deepEqual(control.up, concat([hello(0, await serviceDigest("it")), key]));
    for (const { up } of data) deepEqual(up, concat([hello(1, key), bytesOf("hello")]));
  });
}

/** As 0.5.0 writes it. */
function hello(kind: number, digest: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(kind, 0, 0, 0, 1), digest]);
}

Deno.test("a stock server that speaks of carriers breaks the protocol", async () => {
  await using server = rawServer(async (session) => {
    await session.control.write(Uint8Array.of(2, 8, 0, 0));
    await aborted(session.signal);
  });
  await using client = await clientFor(
    formatAddress(server.address),
    { it: { local_addr: "127.0.0.1:1" } },
    { carriers: 1, retry_interval: "1h" },
  );
  const { reason } = await client.events.until("control-channel-lost");
  match(reason, /carriers/);
  equal(client.service().carriers.open, 0);
});

/** What was said on a control channel but for nonce and key, and on how many other connections. */
interface Said {
  readonly up: string;
  readonly down: string;
  readonly others: readonly string[];
}

function said(tap: Wiretap): Said {
  const [control, ...others] = tap.links;
  ok(control !== undefined && control.kind === "control");
  const { down, up } = control;
  // A nonce down, a proof up.
  down.fill(0, 5, HELLO);
  up.fill(0, HELLO, HELLO + 32);
  return { up: up.toHex(), down: down.toHex(), others: others.map(({ kind }) => `${kind}`).sort() };
}

async function visits(door: Address): Promise<void> {
  for (let i = 0; i < 3; i++) equal(textOf(await ask(door, bytesOf("hello"))), "hello");
}

/** The Rust program with a configuration. */
async function rust(config: string) {
  if (peer === null) throw new Error("unreachable");
  const stack = new AsyncDisposableStack();
  const file = stack.use(await textFile(config));
  const child = stack.use(startChild(peer, { args: [file.path], env: { RUST_LOG: "info" } }));
  return { child, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test(
  `the Rust client at our server: the same bytes with carriers and without${missing}`,
  { ignore },
  async () => {
    const [on, off] = [await atOurServer(8), await atOurServer(0)];
    deepEqual(on, off);
    equal(on.up.length, 2 * (HELLO + 32));
    equal(on.down.length, 2 * (HELLO + ACK + 4 * (8 + 3)));
  },
);

async function atOurServer(carriers: number): Promise<Said> {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { carriers, heartbeat_interval: 0 });
  await using tap = wiretap(server.server.address);
  await using client = await rust(
    `[client]\nremote_addr = "${formatAddress(tap.address)}"\ndefault_token = "${TOKEN}"\n` +
      `heartbeat_timeout = 0\n[client.services.it]\nlocal_addr = "${
        formatAddress(local.address)
      }"\n`,
  );
  await client.child.until(ESTABLISHED);
  const door = await server.door();
  await eventually("a reserve", () => server.service().dataChannelsIdle, (n) => n === 8);
  for (let i = 0; i < 3; i++) {
    equal(textOf(await ask(door, bytesOf("hello"))), "hello");
    await eventually("a reserve", () => server.service().dataChannelsIdle, (n) => n === 8);
  }
  await pause(500);
  return said(tap);
}

Deno.test(
  `our client at the Rust server: the same bytes with carriers and without${missing}`,
  { ignore },
  async () => {
    const [on, off] = [await atTheirServer(3), await atTheirServer(0)];
    deepEqual(on.up, off.up);
    equal(on.up.length, 2 * (HELLO + 32));
    for (const { others } of [on, off]) equal(others.every((kind) => kind === "data"), true);
  },
);

async function atTheirServer(carriers: number): Promise<Said> {
  await using local = echoService();
  const at = { hostname: "127.0.0.1", port: freePort() };
  const door = { hostname: "127.0.0.1", port: freePort() };
  await using server = await rust(
    `[server]\nbind_addr = "${formatAddress(at)}"\ndefault_token = "${TOKEN}"\n` +
      `[server.services.it]\nbind_addr = "${formatAddress(door)}"\n`,
  );
  await server.child.until(/Listening/);
  await using tap = wiretap(at);
  await using client = await clientFor(formatAddress(tap.address), { it: local.address }, {
    carriers,
  });
  await client.events.until("control-channel-established");
  await accepting(door);
  await visits(door);
  await pause(1000);
  return said(tap);
}
