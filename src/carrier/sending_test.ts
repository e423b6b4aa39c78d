import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { turn } from "../../tests/support/turns.ts";
import { BufferStore } from "../net/buffers.ts";
import { CarrierCounters } from "./counters.ts";
import { FRAME, FrameDecoder } from "./frame.ts";
import { Outbox } from "./outbox.ts";
import { Sending } from "./sending.ts";
import { Streams } from "./streams.ts";

/** Streams that send over one outbox, and what arrives of each. */
function senders(count: number, capacity: number) {
  const [near, far] = memoryPair({ capacity });
  const streams = new Streams();
  const outbox: Outbox = new Outbox(near, new BufferStore(), {
    relief: () => streams.serve(outbox),
    failed: (error) => assert.fail(String(error)),
  });
  const host = {
    outbox,
    counters: new CarrierCounters(),
    control: (type: number, id: number, payload?: Uint8Array) => outbox.control(type, id, payload),
    wait: (sending: Sending) => streams.wait(sending),
  };
  const all = Array.from({ length: count }, (_, id) => new Sending(id, host));
  const arrived: number[][] = all.map(() => []);
  const moved = new Set<number>();
  const decoder = new FrameDecoder();
  const reading = (async () => {
    for (let chunk = await far.read(); chunk !== null; chunk = await far.read()) {
      decoder.decode(chunk, {
        data(id, bytes) {
          assert.ok(!moved.has(id), "data after the move");
          arrived[id]?.push(...bytes);
        },
        control(type, id) {
          if (type === FRAME.move) moved.add(id);
        },
      });
    }
  })();
  return { all, arrived, outbox, near, reading };
}

const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) * 7 + seed);

Deno.test("bytes leave whole and in order, however credit and room come", async () => {
  const step = fc.record({
    id: fc.nat(2),
    credit: fc.constantFrom(1, 100, 16_384, 49_150, 65_536, 200_000),
    turns: fc.constantFrom(0, 0, 0, 1),
  });
  const size = fc.constantFrom(1, 20_000, 65_536, 81_920, 200_000, 400_000);
  const capacity = fc.constantFrom(20_000, 300_000, Infinity);
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { minLength: 3, maxLength: 3 }),
      fc.array(step, { maxLength: 30 }),
      capacity,
      async (sizes, steps, capacity) => {
        const { all, arrived, near, outbox, reading } = senders(3, capacity);
        const sent = sizes.map((length, id) => pattern(length, id));
        const sending = all.map((one, id) => one.send(sent[id] ?? assert.fail()));
        for (const { id, credit, turns } of steps) {
          all[id]?.granted(credit);
          for (let i = 0; i < turns; i++) await turn();
        }
        for (const one of all) one.granted(1_000_000);
        await Promise.all(sending);
        await outbox.drain();
        await near.closeWrite();
        await reading;
        for (const [id, bytes] of sent.entries()) {
          assert.ok(bytes.every((byte, at) => arrived[id]?.[at] === byte), `stream ${id}`);
          assert.equal(arrived[id]?.length, bytes.length);
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("credit that comes as the outbox fills sends no frame twice", async () => {
  for (
    const [size, ...grants] of [
      [200_000, 300_000, 1, 1, 1, 1],
      [65_536, 65_536, 1, 1, 1],
      [81_920, 65_536, 1, 1, 1],
      [200_000, 49_150, 1, 1, 200_000],
    ]
  ) {
    const { all: [one], arrived: [got], near, outbox, reading } = senders(1, Infinity);
    assert.ok(one && got && size);
    const bytes = pattern(size, 3);
    const sending = one.send(bytes);
    for (const credit of grants) one.granted(credit);
    one.granted(1_000_000);
    await sending;
    await outbox.drain();
    await near.closeWrite();
    await reading;
    assert.deepEqual(Uint8Array.from(got), bytes);
  }
});

Deno.test("nothing of a stream follows its move, however full the outbox is", async () => {
  const { all: [one, other], arrived: [got], near, outbox, reading } = senders(2, Infinity);
  assert.ok(one && other && got);
  const bytes = pattern(300_000, 5);
  const sending = one.send(bytes);
  one.granted(1_000_000);
  // One frame less than what is written at once.
  const filler = other.send(pattern(32_000, 1));
  const [route, end] = memoryPair({ capacity: Infinity });
  one.moveTo(route);
  await Promise.all([sending, filler]);
  await route.closeWrite();
  for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) got.push(...chunk);
  await outbox.drain();
  await near.closeWrite();
  await reading;
  assert.deepEqual(Uint8Array.from(got).length, bytes.length);
});
