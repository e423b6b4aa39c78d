import assert from "node:assert/strict";
import fc from "fast-check";
import { BufferStore, ReadBuffer } from "./buffers.ts";

/** Performs reads that give so many bytes each (capped by the buffer); the sizes offered. */
function readAll(buffer: ReadBuffer, counts: number[]): number[] {
  return counts.map((count) => {
    const { length } = buffer.next();
    buffer.filled(Math.min(count, length));
    return length;
  });
}

Deno.test("a stream that fills its buffer climbs to 256 KiB, and comes down to what it uses", () => {
  const buffer = new ReadBuffer(new BufferStore());
  const bulk = 1 << 20;
  assert.deepEqual(
    readAll(buffer, [100, bulk, bulk, bulk, bulk, 4096, 4096, 100, 100]),
    [1024, 1024, 16384, 65536, 262144, 262144, 16384, 16384, 1024],
  );
});

Deno.test("replies of 4 KiB keep a buffer that holds them whole", () => {
  const buffer = new ReadBuffer(new BufferStore());
  readAll(buffer, [4096, 4096]);
  assert.deepEqual(new Set(readAll(buffer, new Array(20).fill(4096))), new Set([16384]));
});

Deno.test("at most 16 streams have 256 KiB; one that ends or is cut leaves room for another", () => {
  const store = new BufferStore();
  const bulk = new Array(5).fill(1 << 20);
  const streams = Array.from({ length: 18 }, () => new ReadBuffer(store));
  const largest = streams.map((stream) => readAll(stream, bulk).at(-1));
  assert.equal(largest.filter((size) => size === 262144).length, 16);
  assert.equal(largest.filter((size) => size === 65536).length, 2);
  streams[0]?.release();
  streams[1]?.abandon();
  assert.deepEqual(streams.slice(16).map((s) => readAll(s, [1 << 20, 0]).at(-1)), [262144, 262144]);
});

Deno.test("a released buffer is used again, an abandoned one never", () => {
  const store = new BufferStore();
  const [released, abandoned] = [store.take(1), store.take(1)];
  assert.ok(released && abandoned);
  store.give(1, released);
  store.forget(1);
  assert.equal(store.take(1), released);
  assert.notEqual(store.take(1), abandoned);
});

Deno.test("a read of a message leaves the size alone", () => {
  const buffer = new ReadBuffer(new BufferStore());
  assert.equal(buffer.nextAtMost(37).length, 37);
  buffer.filled(37);
  assert.equal(buffer.nextAtMost(4096).length, 1024);
});

Deno.test("whatever is read, what is lent is as long as what was read", () => {
  fc.assert(fc.property(fc.array(fc.nat(300_000)), (counts) => {
    const buffer = new ReadBuffer(new BufferStore());
    for (const count of counts) {
      const fits = Math.min(count, buffer.next().length);
      assert.equal(buffer.filled(fits).length, fits);
    }
  }));
});

Deno.test("many streams that end leave room for the large buffers of others", () => {
  const store = new BufferStore();
  const streams = Array.from({ length: 20_000 }, () => new ReadBuffer(store));
  for (const stream of streams) stream.release();
  const large = store.take(2);
  assert.ok(large);
  store.give(2, large);
  assert.equal(store.take(2), large);
});
