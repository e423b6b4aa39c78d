import assert from "node:assert/strict";
import { BufferStore } from "../net/buffers.ts";
import { noise } from "../../tests/support/local_services.ts";
import { Inbox } from "./inbox.ts";

Deno.test("bytes come out in the order they came, whatever the pieces", () => {
  const inbox = new Inbox(new BufferStore());
  const bytes = noise(500_000, 5);
  let [pushed, taken, seed] = [0, 0, 1];
  while (taken < bytes.length) {
    seed = (seed * 1_103_515_245 + 12_345) % 0x8000_0000;
    const amount = 1 + seed % 9_000;
    if (seed % 2 === 0 && pushed < bytes.length) {
      const piece = bytes.slice(pushed, pushed + amount);
      inbox.push(piece);
      pushed += piece.length;
      // It was lent.
      piece.fill(0xdd);
    } else {
      const max = seed % 5 === 0 ? undefined : amount;
      const chunk = inbox.take(max);
      if (chunk === null) {
        assert.equal(taken, pushed);
        if (pushed === bytes.length) break;
        continue;
      }
      assert.ok(chunk.length > 0 && chunk.length <= (max ?? Infinity));
      assert.deepEqual(chunk, bytes.subarray(taken, taken + chunk.length));
      taken += chunk.length;
    }
    assert.equal(inbox.size, pushed - taken);
  }
});

Deno.test("what is lent stays as it is while more comes, until the next is taken", () => {
  const inbox = new Inbox(new BufferStore());
  inbox.push(noise(1000, 1));
  const lent = inbox.take();
  inbox.push(noise(30_000, 2));
  assert.deepEqual(lent, noise(1000, 1));
  assert.deepEqual(inbox.take(), noise(30_000, 2));
  assert.equal(inbox.take(), null);
  assert.equal(inbox.size, 0);
});

Deno.test("two inboxes of one store never share a buffer, also after one was abandoned", () => {
  const store = new BufferStore();
  const [one, two] = [new Inbox(store), new Inbox(store)];
  one.push(noise(20_000, 1));
  const lent = one.take();
  one.push(noise(20_000, 2));
  one.abandon();
  assert.equal(one.size, 0);
  assert.equal(one.take(), null);
  for (let i = 0; i < 20; i++) two.push(noise(20_000, 3));
  two.take();
  // Whoever has it may still be writing it.
  assert.deepEqual(lent, noise(20_000, 1));
});

Deno.test("an empty one holds nothing; buffers go back", () => {
  const store = new BufferStore();
  const inboxes = Array.from({ length: 100 }, () => new Inbox(store));
  const first = new Inbox(store);
  first.push(noise(10_000));
  const { buffer } = first.take() ?? assert.fail();
  assert.equal(first.take(), null);
  for (const inbox of inboxes) {
    inbox.push(noise(10_000));
    assert.equal(inbox.take()?.buffer, buffer, "the same buffer, one after the other");
    assert.equal(inbox.take(), null);
  }
});
