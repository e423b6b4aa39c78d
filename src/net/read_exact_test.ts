import assert from "node:assert/strict";
import fc from "fast-check";
import { pattern } from "../../tests/support/connection_contract.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { readExact, readMessages } from "./read_exact.ts";

Deno.test("messages are read whole however they arrive, and not a byte of what follows", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 70 }),
      async (lengths, readSize) => {
        const [a, b] = memoryPair({ readSize });
        const total = lengths.reduce((sum, n) => sum + n, 0);
        const sent = pattern(total + 5);
        await a.write(sent);
        let at = 0;
        for (const length of lengths) {
          const message = (await readExact(b, length)).slice();
          assert.deepEqual(message, sent.subarray(at, at + length));
          at += length;
        }
        assert.deepEqual((await readExact(b, 5)).slice(), sent.subarray(at));
      },
    ),
  );
});

Deno.test("a message in one piece is lent, not copied", async () => {
  const [a, b] = memoryPair();
  await a.write(pattern(37));
  const message = await readExact(b, 37);
  assert.deepEqual(message, pattern(37));
  await a.write(pattern(1));
  await b.read();
  assert.notDeepEqual(message, pattern(37));
});

Deno.test("an end in place of a message, or within one, is `closed` and says how far it came", async () => {
  for (
    const [count, message] of [
      [0, "the peer closed the connection"],
      [7, "the peer closed the connection after 7 of 37 bytes of a message"],
    ] as const
  ) {
    const [a, b] = memoryPair();
    await a.write(pattern(count));
    await a.closeWrite();
    await assert.rejects(readExact(b, 37), { code: "closed", message });
  }
});

Deno.test("a connection's own error comes through", async () => {
  const [a, b] = memoryPair();
  const reading = readExact(b, 37);
  a.reset();
  await assert.rejects(reading, { code: "closed", message: "the peer reset the connection" });
});

Deno.test("messages of one size are read as many as are there, the last one whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 70 }),
      async (count, readSize) => {
        const [a, b] = memoryPair({ readSize });
        const sent = pattern(count * 4);
        await a.write(sent);
        await a.closeWrite();
        const got: number[] = [];
        while (got.length < sent.length) {
          const messages = await readMessages(b, 4);
          assert.ok(messages.length > 0 && messages.length % 4 === 0);
          got.push(...messages);
        }
        assert.deepEqual(Uint8Array.from(got), sent);
        await assert.rejects(readMessages(b, 4), {
          code: "closed",
          message: "the peer closed the connection",
        });
      },
    ),
  );
});

Deno.test("an end within the last of several messages says how far that one came", async () => {
  const [a, b] = memoryPair();
  await a.write(pattern(11));
  await a.closeWrite();
  await assert.rejects(readMessages(b, 4), {
    code: "closed",
    message: "the peer closed the connection after 3 of 4 bytes of a message",
  });
});
