import { deepEqual, equal } from "node:assert/strict";
import { LateQueue } from "./late_queue.ts";

const bytes = (length: number) => new Uint8Array(length);

Deno.test("LateQueue - gives out what came, in order", async () => {
  const queue = new LateQueue(100);
  const waiting = queue.take();
  await queue.give({ due: 1, bytes: bytes(1) });
  deepEqual((await waiting).map(({ due }) => due), [1]);
  await queue.give({ due: 2, bytes: bytes(2) });
  await queue.give({ due: 3, bytes: null });
  deepEqual((await queue.take()).map(({ due }) => due), [2, 3]);
  equal(queue.held, 3);
  queue.arrived(3);
  equal(queue.held, 0);
});

Deno.test("LateQueue - who reads waits for room", async () => {
  const queue = new LateQueue(10);
  let given = false;
  const giving = queue.give({ due: 0, bytes: bytes(12) }).then(() => given = true);
  await queue.take();
  queue.arrived(2);
  await Promise.resolve();
  equal(given, false);
  queue.arrived(1);
  await giving;
  equal(given, true);
});
