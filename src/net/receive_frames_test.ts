import assert from "node:assert/strict";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { udpFrameLength, writeUdpFrame } from "../protocol/udp_frame.ts";
import { receiveFrames } from "./receive_frames.ts";

const IP = Uint8Array.of(192, 0, 2, 1);

function frames(ports: readonly number[]): Uint8Array {
  const payload = Uint8Array.of(1);
  const length = udpFrameLength(IP, payload);
  const bytes = new Uint8Array(length * ports.length);
  for (const [i, port] of ports.entries()) writeUdpFrame(bytes, i * length, IP, port, payload);
  return bytes;
}

Deno.test("every datagram is handled, in order, and never more than 64 at once", async () => {
  const [near, far] = memoryPair({ capacity: 1 << 20, readSize: 1 << 20 });
  const ports = Array.from({ length: 1000 }, (_, i) => i);
  const seen: number[] = [];
  let under = 0;
  let most = 0;
  const received = receiveFrames(far, async ({ port }) => {
    most = Math.max(most, ++under);
    seen.push(port);
    await turn();
    under--;
  });
  await near.write(frames(ports));
  await near.closeWrite();
  await received;
  assert.deepEqual(seen, ports);
  assert.equal(most, 64);
});

Deno.test("the next chunk is not read before all of this one is handled", async () => {
  const [near, far] = memoryPair();
  const { promise: handled, resolve: finish } = Promise.withResolvers<void>();
  const seen: number[] = [];
  const received = follow(receiveFrames(far, ({ port }) => {
    seen.push(port);
    return handled;
  }));
  await near.write(frames([1]));
  await until(() => seen.length === 1, "the first");
  const second = follow(near.write(frames([2])).then(() => near.closeWrite()));
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(seen, [1]);
  finish();
  await until(() => received().state === "fulfilled", "the end");
  assert.deepEqual(seen, [1, 2]);
  assert.equal(second().state, "fulfilled");
});
