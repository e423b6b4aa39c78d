import assert from "node:assert/strict";
import { EventStream } from "./event_stream.ts";

Deno.test("every reader gets every event since it subscribed, then the end", async () => {
  const stream = new EventStream<number>();
  stream.publish(0);
  const first = stream.subscribe();
  stream.publish(1);
  const second = stream.subscribe();
  stream.publish(2);
  stream.end();
  assert.deepEqual(await Array.fromAsync(first), [1, 2]);
  assert.deepEqual(await Array.fromAsync(second), [2]);
});

Deno.test("a reader that waits is woken by the next event", async () => {
  const stream = new EventStream<string>();
  const reader = stream.subscribe();
  const waiting = reader.next();
  stream.publish("event");
  assert.deepEqual(await waiting, { done: false, value: "event" });
});

Deno.test("a reader that does not read keeps the newest 1024 and holds nobody up", async () => {
  const stream = new EventStream<number>();
  const slow = stream.subscribe();
  for (let i = 0; i < 5000; i++) stream.publish(i);
  stream.end();
  const kept = await Array.fromAsync(slow);
  assert.equal(kept.length, 1024);
  assert.equal(kept.at(-1), 4999);
});

Deno.test("leaving the loop, or returning while a read waits, ends the subscription", async () => {
  const stream = new EventStream<number>();
  const reader = stream.subscribe();
  const waiting = reader.next();
  await reader.return?.();
  assert.equal((await waiting).done, true);
  stream.publish(1);
  assert.equal((await reader.next()).done, true);
});

Deno.test("two reads that wait at once get an event each, and the end wakes both", async () => {
  const stream = new EventStream<number>();
  const reader = stream.subscribe();
  const waiting = [reader.next(), reader.next(), reader.next(), reader.next()];
  stream.publish(1);
  stream.publish(2);
  stream.end();
  const results = await Promise.all(waiting);
  assert.deepEqual(results.map(({ value }) => value), [1, 2, undefined, undefined]);
});

Deno.test("who subscribes after the end gets the end, and events after it go nowhere", async () => {
  const stream = new EventStream<number>();
  const early = stream.subscribe();
  stream.end();
  stream.publish(1);
  assert.deepEqual(await Array.fromAsync(early), []);
  assert.deepEqual(await Array.fromAsync(stream.subscribe()), []);
});
