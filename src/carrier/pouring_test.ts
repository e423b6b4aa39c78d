import assert from "node:assert/strict";
import fc from "fast-check";
import { carrierPair } from "../../tests/support/carrier_pair.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import type { Connection } from "../net/connection.ts";
import { pump } from "../net/pump.ts";
import type { Stream } from "./stream.ts";

const counters = () => ({ forward: { bytes: 0 }, backward: { bytes: 0 } });

/** A visitor and a service, with a stream between two pumps. */
async function tunnel(options: { capacity?: number } = {}) {
  const pair = carrierPair(memoryPair());
  const near = pair.begin();
  await until(() => pair.accepted.length === 1, "the stream is accepted");
  const far = pair.accepted[0] ?? assert.fail();
  const [visitor, door] = memoryPair(options);
  const [local, service] = memoryPair(options);
  const atServer = follow(pump(door, near, counters()));
  const atClient = follow(pump(far, local, counters()));
  return { pair, near, far, visitor, service, atServer, atClient };
}

function moveBoth(near: Stream, far: Stream): void {
  const [a, b] = memoryPair();
  near.moveTo({ connection: a });
  far.moveTo({ connection: b });
}

async function readToEnd(connection: Connection): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
    parts.push(chunk.slice());
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function writeAndEnd(connection: Connection, bytes: Uint8Array, step: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += step) {
    await connection.write(bytes.slice(at, at + step));
    if (at % 3 === 0) await turn();
  }
  await connection.closeWrite();
}

Deno.test("bytes pour through whole and in order, whenever the stream moves", async () => {
  const size = fc.integer({ min: 1, max: 120_000 });
  const step = fc.integer({ min: 1000, max: 50_000 });
  const moves = fc.option(fc.nat(30));
  const capacity = fc.constantFrom(1000, 20_000, 200_000);
  await fc.assert(
    fc.asyncProperty(size, size, step, moves, capacity, async (up, down, step, after, capacity) => {
      const t = await tunnel({ capacity });
      const question = crypto.getRandomValues(new Uint8Array(Math.min(up, 65_536)));
      const answer = crypto.getRandomValues(new Uint8Array(Math.min(down, 65_536)));
      const move = async () => {
        for (let turns = 0; turns < (after ?? 0); turns++) await turn();
        if (after !== null) moveBoth(t.near, t.far);
      };
      const [asked, answered] = await Promise.all([
        readToEnd(t.service),
        readToEnd(t.visitor),
        writeAndEnd(t.visitor, question, step),
        writeAndEnd(t.service, answer, step),
        move(),
      ]);
      assert.deepEqual(asked, question);
      assert.deepEqual(answered, answer);
      await until(() => t.atServer().state === "fulfilled", "the server's pump is over");
      await until(() => t.atClient().state === "fulfilled", "the client's pump is over");
      assert.deepEqual(t.pair.server.carrier.streams, 0);
      assert.equal(t.pair.server.carrier.queued, 0);
    }),
    { numRuns: 40 },
  );
});

Deno.test("a visitor who reads nothing holds a window, and one who vanishes ends the stream", async () => {
  const t = await tunnel({ capacity: 1000 });
  const writing = follow(t.service.write(new Uint8Array(1_000_000)));
  for (let i = 0; i < 100; i++) await turn();
  assert.equal(writing().state, "pending");
  assert.ok(t.near.queued <= 256 * 1024, `${t.near.queued} bytes held`);
  t.visitor.abort();
  await until(() => t.pair.client.carrier.streams === 0, "the client hears of it");
  await until(() => writing().state === "rejected", "the service hears of it");
  assert.equal(t.atServer().state, "fulfilled");
});

Deno.test("the loss of a carrier ends both pumps with its reason", async () => {
  const t = await tunnel();
  await t.visitor.write(new Uint8Array(10));
  t.pair.server.carrier.abort(new Error("lost"));
  await until(() => t.atServer().state === "fulfilled", "the server's pump is over");
  await until(() => t.atClient().state === "fulfilled", "the client's pump is over");
  const progress = t.atServer();
  assert.match(String(progress.state === "fulfilled" && progress.value), /lost/);
});
