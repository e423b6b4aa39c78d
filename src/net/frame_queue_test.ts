import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { UdpFrameDecoder } from "../protocol/udp_frame.ts";
import type { Connection } from "./connection.ts";
import { FrameQueue } from "./frame_queue.ts";

const IP = Uint8Array.of(192, 0, 2, 1);

/** Datagrams as they come out at the other end, as `port:length:first byte`. */
async function collect(connection: Connection, seen: string[]): Promise<void> {
  const decoder = new UdpFrameDecoder();
  for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
    for (const { port, payload } of decoder.decode(chunk)) {
      seen.push(`${port}:${payload.length}:${payload[0] ?? ""}`);
    }
  }
}

function draining(queue: FrameQueue, capacity = 1 << 20) {
  const [near, far] = memoryPair({ capacity, readSize: 64 * 1024 });
  const controller = new AbortController();
  const ended = follow(queue.drainInto(near, controller.signal));
  return { near, far, controller, ended };
}

Deno.test("whatever is pushed comes out once and in order, across pauses of the channel", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 6 }), { maxLength: 8 }),
      async (bursts) => {
        const queue = new FrameQueue();
        const d = draining(queue, 4_000);
        const seen: string[] = [];
        const collecting = collect(d.far, seen);
        const pushed: string[] = [];
        let port = 0;
        for (const burst of bursts) {
          for (const length of burst) {
            assert.ok(queue.push(IP, ++port, new Uint8Array(length).fill(port)));
            pushed.push(`${port}:${length}:${length === 0 ? "" : port & 0xff}`);
          }
          await turn();
        }
        await turn();
        d.near.abort();
        d.controller.abort();
        await collecting;
        assert.deepEqual(seen, pushed);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("what is pushed while a write is under way shares the next one", async () => {
  const queue = new FrameQueue();
  const writes: number[] = [];
  const gates: (() => void)[] = [];
  const [near] = memoryPair();
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      writes.push(bytes.length);
      gates.push(resolve);
    });
  const connection: Connection = {
    peer: near.peer,
    read: () => near.read(),
    write,
    closeWrite: () => near.closeWrite(),
    setNoDelay: () => {},
    abort: () => {},
    [Symbol.dispose]: () => {},
  };
  const controller = new AbortController();
  const ended = follow(queue.drainInto(connection, controller.signal));
  queue.push(IP, 1, new Uint8Array(10));
  await turn();
  for (let i = 0; i < 50; i++) queue.push(IP, 1, new Uint8Array(10));
  await turn();
  assert.deepEqual(writes, [23]);
  gates[0]?.();
  await turn();
  assert.deepEqual(writes, [23, 50 * 23]);
  gates[1]?.();
  controller.abort();
  await turn();
  assert.equal(ended().state, "fulfilled");
});

Deno.test("a channel that does not keep up costs datagrams, not memory; then it goes on", async () => {
  const queue = new FrameQueue();
  const payload = new Uint8Array(1_000);
  const d = draining(queue, 1_000);
  let taken = 0;
  for (let i = 0; i < 2_000; i++) {
    if (queue.push(IP, 1, payload)) taken++;
    if (i % 500 === 0) await turn();
  }
  assert.ok(taken * 1_013 <= 2 * 256 * 1024 + 2_026 && taken >= 258, `${taken} taken`);
  assert.equal(queue.push(IP, 1, payload), false);
  const seen: string[] = [];
  const collecting = collect(d.far, seen);
  for (let i = 0; seen.length < taken && i < 3_000; i++) await turn();
  assert.equal(seen.length, taken);
  assert.equal(queue.push(IP, 9, payload), true);
  await turn();
  assert.equal(seen.at(-1), "9:1000:0");
  d.controller.abort();
  d.near.abort();
  await collecting;
});

Deno.test("the longest datagram fits, from IPv6 too", async () => {
  const queue = new FrameQueue();
  const d = draining(queue);
  const seen: string[] = [];
  const collecting = collect(d.far, seen);
  assert.ok(queue.push(new Uint8Array(16).fill(1), 65_535, new Uint8Array(65_507).fill(5)));
  await turn();
  d.controller.abort();
  d.near.abort();
  await collecting;
  assert.deepEqual(seen, ["65535:65507:5"]);
});

Deno.test("an abort ends a drain that is idle, and one that has not begun", async () => {
  const queue = new FrameQueue();
  const idle = draining(queue);
  await turn();
  idle.controller.abort();
  await turn();
  assert.equal(idle.ended().state, "fulfilled");
  await queue.drainInto(idle.near, AbortSignal.abort());
});

Deno.test("a write that fails is the drain's error, and the queue serves the next channel", async () => {
  const queue = new FrameQueue();
  const first = draining(queue);
  first.far.abort();
  queue.push(IP, 1, new Uint8Array(10));
  await turn();
  assert.equal(first.ended().state, "rejected");
  const second = draining(queue);
  const seen: string[] = [];
  const collecting = collect(second.far, seen);
  queue.push(IP, 2, new Uint8Array(10));
  await turn();
  assert.deepEqual(seen, ["2:10:0"]);
  second.controller.abort();
  second.near.abort();
  await collecting;
});

Deno.test("the drain before, on its way out, does not take the wake-up of the next", async () => {
  const queue = new FrameQueue();
  // Stuck in a write when it is aborted; the write fails only after the next drain waits.
  const old = draining(queue, 5);
  queue.push(IP, 1, new Uint8Array(10));
  await turn();
  old.controller.abort();
  const next = draining(queue);
  const seen: string[] = [];
  const collecting = collect(next.far, seen);
  await turn();
  old.near.abort();
  await turn();
  queue.push(IP, 2, new Uint8Array(10));
  await turn();
  assert.deepEqual(seen, ["2:10:0"]);
  next.controller.abort();
  next.near.abort();
  await turn();
  assert.equal(next.ended().state, "fulfilled");
  await collecting;
});

Deno.test("an idle drain that ends as the next begins does not take its wake-up either", async () => {
  const queue = new FrameQueue();
  const old = draining(queue);
  await turn();
  old.controller.abort();
  const next = draining(queue);
  const seen: string[] = [];
  const collecting = collect(next.far, seen);
  await turn();
  assert.equal(old.ended().state, "fulfilled");
  queue.push(IP, 1, new Uint8Array(10));
  await turn();
  assert.deepEqual(seen, ["1:10:0"]);
  next.controller.abort();
  next.near.abort();
  await collecting;
});

Deno.test("what one channel is still writing is not touched when another takes over", async () => {
  const queue = new FrameQueue();
  const ip = Uint8Array.of(192, 0, 2, 1);
  const written: Uint8Array[] = [];
  const { promise: stuck, resolve: release } = Promise.withResolvers<void>();
  const channel = (wait: Promise<void>): Connection => {
    const [connection] = memoryPair();
    connection.write = async (bytes) => {
      await wait;
      written.push(bytes.slice());
    };
    return connection;
  };
  const first = new AbortController();
  const draining = queue.drainInto(channel(stuck), first.signal);
  queue.push(ip, 1, new Uint8Array(100).fill(1));
  await turn();
  await turn();
  first.abort();
  const second = new AbortController();
  const after = queue.drainInto(channel(Promise.resolve()), second.signal);
  for (let i = 0; i < 3; i++) {
    queue.push(ip, 2, new Uint8Array(100).fill(2 + i));
    await turn();
    await turn();
  }
  release();
  await draining;
  second.abort();
  await after;
  const last = written.at(-1) ?? assert.fail();
  assert.deepEqual(last.subarray(-100), new Uint8Array(100).fill(1));
});
