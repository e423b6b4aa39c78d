import assert from "node:assert/strict";
import { referenceFrames } from "../../tests/fuzz/targets/carrier_reference.ts";
import { noise } from "../../tests/support/local_services.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { FRAME } from "./frame.ts";
import { Outbox } from "./outbox.ts";

/** A connection that tells how often it is written to, and whether twice at once. */
class Counted {
  writes = 0;
  #under = 0;
  readonly connection: Connection;

  constructor(inner: Connection) {
    this.connection = Object.assign(Object.create(inner), {
      write: async (bytes: Uint8Array) => {
        this.writes++;
        assert.equal(++this.#under, 1, "two writes at once");
        try {
          await inner.write(bytes);
        } finally {
          this.#under--;
        }
      },
    });
  }
}

function make(capacity = 1 << 20) {
  const [own, peer] = memoryPair({ capacity });
  const counted = new Counted(own);
  const told = { relief: 0, failed: [] as unknown[] };
  const outbox = new Outbox(counted.connection, new BufferStore(), {
    relief: () => void told.relief++,
    failed: (error) => void told.failed.push(error),
  });
  return { counted, outbox, own, peer, told };
}

/** All that can be read by now. */
async function read(peer: MemoryConnection, length: number): Promise<Uint8Array> {
  const parts: number[] = [];
  while (parts.length < length) parts.push(...await peer.read() ?? assert.fail("the end"));
  return Uint8Array.from(parts);
}

Deno.test("frames of one turn share a write, in the order they came", async () => {
  const { counted, outbox, peer } = make();
  outbox.control(FRAME.open, 1, Uint8Array.of(0));
  outbox.data(1, noise(100));
  outbox.control(FRAME.fin, 1);
  await outbox.drain();
  assert.equal(counted.writes, 1);
  const { error, log } = referenceFrames(await read(peer, 9 + 108 + 8));
  assert.equal(error, false);
  assert.deepEqual(log, ["1 1 00", "data 1 100", "4 1 "]);
});

Deno.test("what comes while a write is under way is written at once when that is over", async () => {
  const { counted, outbox, peer } = make(1000);
  outbox.data(1, noise(5000));
  await turn();
  await turn();
  for (let i = 0; i < 50; i++) outbox.data(2, noise(10, i + 1));
  assert.equal(counted.writes, 1);
  assert.equal(outbox.queued, 50 * 18);
  const bytes = await read(peer, 5008 + 50 * 18);
  await outbox.drain();
  assert.equal(counted.writes, 2);
  assert.equal(outbox.queued, 0);
  assert.deepEqual(referenceFrames(bytes).log, ["data 1 5000", "data 2 500"]);
});

Deno.test("there is room until much waits, and again when it is being written", async () => {
  const { outbox, peer, told } = make(1000);
  outbox.data(1, noise(16_384));
  await turn();
  let frames = 1;
  for (; outbox.room > 0; frames++) outbox.data(1, noise(16_384));
  assert.ok(outbox.queued < 1 << 20, `${outbox.queued} bytes`);
  const before = told.relief;
  const bytes = await read(peer, frames * 16_392);
  assert.ok(told.relief > before);
  assert.ok(outbox.room > 0);
  assert.equal(referenceFrames(bytes).data.get(1)?.length, frames * 16_384);
});

Deno.test("whoever does not read is given up before much memory is taken", async () => {
  const { outbox } = make(1000);
  let count = 0;
  assert.throws(() => {
    for (; count < 10_000_000; count++) outbox.control(FRAME.pong, 0);
  }, { code: "limit", message: /does not read/ });
  assert.ok(outbox.queued < 8 << 20 && count > 1000);
  outbox.close();
  await turn();
});

Deno.test("a failed write is told once, and nothing is written after it", async () => {
  const { counted, outbox, own, told } = make(10);
  outbox.data(1, noise(100));
  await turn();
  await turn();
  own.reset();
  await until(() => told.failed.length > 0, "it is told");
  outbox.data(1, noise(100));
  outbox.control(FRAME.fin, 1);
  await turn();
  assert.equal(told.failed.length, 1);
  assert.equal(counted.writes, 1);
  await outbox.drain();
});

Deno.test("closing drops what waits, and lets go whoever waits for it", async () => {
  const { counted, outbox } = make(10);
  outbox.data(1, noise(100));
  await turn();
  await turn();
  outbox.data(2, noise(100));
  const drained = follow(outbox.drain());
  await turn();
  assert.equal(drained().state, "pending");
  outbox.close();
  await until(() => drained().state === "fulfilled", "it is let go");
  assert.equal(outbox.queued, 0);
  outbox.close();
  assert.equal(counted.writes, 1);
});
