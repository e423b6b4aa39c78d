/**
 * TLS handshakes that are given up: what they held is free again, whatever the moment.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { Connection } from "../../src/net/connection.ts";
import { Certificates } from "../support/certificates.ts";
import { soon } from "../support/patience.ts";
import { ANYWHERE } from "../support/tcp_pair.ts";
import { tlsClient, tlsPair, tlsServer } from "../support/tls_pair.ts";
import { turn } from "../support/turns.ts";

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const own = await made.signed(ca);
const mine = await made.signed(ca, { usage: "client" });

v8.setFlagsFromString("--expose-gc");
const collect: () => void = vm.runInNewContext("gc");

/** Bytes of live objects. */
function live(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}

Deno.test("handshakes that were given up leave nothing behind, long before any deadline", async () => {
  const server = await tlsServer({ ...own });
  using listener = server.bind(ANYWHERE);
  const giveUp = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const stranger = await Deno.connect({ ...listener.address });
      const incoming = await listener.accept();
      const handshake = incoming.handshake();
      stranger.close();
      await assert.rejects(soon("an end", handshake));
    }
    await turn();
  };
  await giveUp(100);
  const before = live();
  await giveUp(1000);
  const grown = (live() - before) / 1000;
  // 12 KB each where the engine keeps them until a deadline of its own.
  assert.ok(grown < 4000, `${grown} bytes each`);
});

Deno.test("a client that is aborted at any moment of a connection has no descriptor left", async (t) => {
  const server = await tlsServer({ ...own, client_ca: ca.certificate });
  for (const [engine, shown] of [["Deno's", {}], ["node:tls", mine]] as const) {
    await t.step(engine, async () => {
      const trusting = await tlsClient({ trusted_root: ca.certificate, ...shown });
      using listener = server.bind(ANYWHERE);
      const reason = new Error("not wanted any more");
      for (let turns = -1; turns < 12; turns++) {
        const controller = new AbortController();
        if (turns < 0) controller.abort(reason);
        const connecting = trusting.connect(listener.address, { signal: controller.signal });
        const outcome: Promise<Connection | undefined> = connecting.catch((error) => {
          assert.equal(error, reason);
          return undefined;
        });
        for (let i = 0; i < turns; i++) await Promise.resolve();
        if (turns > 6) await turn();
        controller.abort(reason);
        (await soon("an outcome", outcome))?.abort();
      }
    });
  }
});

Deno.test("an end that has ended its direction twice still reads; what it writes is refused", async () => {
  const server = await tlsServer({ ...own });
  const client = await tlsClient({ trusted_root: ca.certificate });
  const [near, far] = await tlsPair(server, client);
  await far.closeWrite();
  await far.closeWrite();
  assert.equal(await near.read(), null);
  await near.write(Uint8Array.of(1));
  assert.deepEqual(await far.read(), Uint8Array.of(1));
  await assert.rejects(far.write(Uint8Array.of(2)), { code: "closed" });
  await near.write(Uint8Array.of(3));
  assert.deepEqual(await far.read(), Uint8Array.of(3));
  near.abort();
  far.abort();
});
