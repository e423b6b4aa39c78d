/**
 * One suite that judges every {@linkcode Connection}.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connection } from "../../src/net/connection.ts";
import { readExact } from "../../src/net/read_exact.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { follow, turn, until, untilStable } from "./turns.ts";

/** Makes two connected ends. */
export type MakePair = () => Promise<readonly [Connection, Connection]>;

/** A connection whose peer can be made to reset it. */
export interface Doomed {
  /** The end that is judged. */
  readonly connection: Connection;
  /** Resets it from the other end. */
  reset(): void;
}

/** What some transports can show and others cannot. */
export interface ContractOptions {
  /** How to see a reset. */
  readonly makeDoomed?: () => Promise<Doomed>;
}

/** More than any pair of ends may hold of a stream whose reader stopped. */
const MOST_IN_FLIGHT = 48 << 20;
const CHUNK = 64 << 10;

/** Registers the suite for one kind of connection. */
export function connectionContract(
  name: string,
  makePair: MakePair,
  options: ContractOptions = {},
): void {
  const test = (
    what: string,
    body: (a: Connection, b: Connection) => Promise<void>,
  ) => {
    for (const [side, swapped] of [["first", false], ["second", true]] as const) {
      Deno.test(`${name}, from the ${side} end: ${what}`, async () => {
        const [a, b] = await makePair();
        try {
          await (swapped ? body(b, a) : body(a, b));
        } finally {
          a.abort();
          b.abort();
          await turn();
        }
      });
    }
  };

  test("bytes arrive as they were written, and may be reused once written", async (a, b) => {
    const sent = pattern(100_000);
    const scratch = new Uint8Array(1000);
    const writing = (async () => {
      for (let at = 0; at < sent.length; at += scratch.length) {
        scratch.set(sent.subarray(at, at + scratch.length));
        await a.write(scratch);
        scratch.fill(0xee);
      }
      await a.closeWrite();
    })();
    assert.deepEqual(await readAll(b), sent);
    await writing;
  });

  test("a read gives at most what was asked for and leaves the rest", async (a, b) => {
    const sent = pattern(5_000);
    const writing = a.write(sent);
    const got: number[] = [];
    for (const max of [1, 2, 37, 4, 1000, 1024, 1]) {
      const chunk = await b.read(max);
      assert.ok(chunk !== null && chunk.length >= 1 && chunk.length <= max, `max ${max}`);
      got.push(...chunk);
    }
    assert.deepEqual(Uint8Array.from(got), sent.subarray(0, got.length));
    assert.deepEqual(
      (await readExact(b, sent.length - got.length)).slice(),
      sent.subarray(got.length),
    );
    await writing;
  });

  test("writing nothing is harmless", async (a, b) => {
    await a.write(new Uint8Array(0));
    await a.write(Uint8Array.of(7));
    assert.deepEqual(await b.read(), Uint8Array.of(7));
  });

  test("what was lent holds until the next read, whatever else happens", async (a, b) => {
    await a.write(pattern(500));
    const lent = await b.read(500);
    assert.ok(lent !== null);
    const copy = lent.slice();
    await a.write(new Uint8Array(500).fill(0xaa));
    await b.write(new Uint8Array(500).fill(0xbb));
    b.setNoDelay(true);
    await a.closeWrite();
    await turn();
    assert.deepEqual(lent, copy);
  });

  test("a half-close ends one direction: the whole reply still arrives", async (a, b) => {
    await a.write(pattern(3));
    await a.closeWrite();
    assert.deepEqual(await readAll(b), pattern(3));
    const reply = pattern(400_000);
    const replying = b.write(reply).then(() => b.closeWrite());
    assert.deepEqual(await readAll(a), reply);
    await replying;
  });

  test("closing without a word is an end, and an end stays one", async (a, b) => {
    await a.closeWrite();
    for (let i = 0; i < 3; i++) assert.equal(await b.read(), null);
    assert.equal(await b.read(10), null);
    await b.write(Uint8Array.of(1));
    assert.deepEqual(await a.read(), Uint8Array.of(1));
  });

  test("a reader that stops stops the writer, and gets every byte in the end", async (a, b) => {
    let written = 0;
    let stop = false;
    const chunk = pattern(CHUNK);
    const writing = (async () => {
      while (!stop && written < 2 * MOST_IN_FLIGHT) {
        await a.write(chunk);
        written += chunk.length;
      }
      await a.closeWrite();
    })();
    assert.ok(await untilStable(() => written) < MOST_IN_FLIGHT, `${written} bytes taken`);
    stop = true;
    let read = 0;
    for (let got = await b.read(); got !== null; got = await b.read()) {
      assert.equal(got[0], chunk[read % CHUNK]);
      read += got.length;
    }
    await writing;
    assert.equal(read, written);
  });

  test("any chunking arrives whole, both ways at once", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 12 });
    const maxima = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(sizes, sizes, maxima, async (forth, back, maxs) => {
        const [a, b] = await makePair();
        try {
          const [, , atA, atB] = await Promise.all([
            writeChunks(a, forth),
            writeChunks(b, back),
            readAll(a, [null, ...maxs]),
            readAll(b, [null, ...maxs]),
          ]);
          assert.deepEqual(atB, pattern(sum(forth)));
          assert.deepEqual(atA, pattern(sum(back)));
        } finally {
          a.abort();
          b.abort();
        }
      }),
      { numRuns: 12 },
    );
  });

  test("an abort wakes a pending read and write, with its reason", async (a) => {
    const reason = new RatholeError("timeout", "took too long");
    const reading = follow(a.read());
    const writing = follow(a.write(new Uint8Array(2 * MOST_IN_FLIGHT)));
    await turn();
    assert.equal(reading().state, "pending");
    assert.equal(writing().state, "pending");
    a.abort(reason);
    for (const [what, seen] of [["read", reading], ["write", writing]] as const) {
      await until(() => seen().state !== "pending", `the ${what} to be woken`);
      assert.deepEqual(seen(), { state: "rejected", reason });
    }
  });

  test("after an abort every call rejects with its reason, the first one's", async (a) => {
    const reason = new RatholeError("timeout", "took too long");
    a.abort(reason);
    a.abort(new Error("another"));
    a[Symbol.dispose]();
    a.setNoDelay(false);
    for (let i = 0; i < 2; i++) {
      await assert.rejects(a.read(), reason);
      await assert.rejects(a.read(5), reason);
      await assert.rejects(a.write(Uint8Array.of(1)), reason);
      await assert.rejects(a.closeWrite(), reason);
    }
  });

  test("an abort without a reason is `aborted`", async (a) => {
    const reading = a.read();
    a.abort();
    await assert.rejects(reading, { name: "RatholeError", code: "aborted" });
    await assert.rejects(a.write(Uint8Array.of(1)), { name: "RatholeError", code: "aborted" });
  });

  test("the peer of an aborted end reads an end or `closed`, and cannot write", async (a, b) => {
    const reading = follow(b.read());
    a.abort(new Error("this end's own business"));
    await assert.rejects(async () => {
      for (let i = 0; i < 1000; i++) {
        await b.write(new Uint8Array(1000));
        await turn();
      }
    }, isClosed);
    await until(() => reading().state !== "pending", "an end of the pending read");
    const seen = reading();
    if (seen.state === "rejected") assert.ok(isClosed(seen.reason));
    else assert.deepEqual(seen, { state: "fulfilled", value: null });
  });

  test("what was written before an abort still arrives", async (a, b) => {
    const sent = pattern(500);
    await a.write(sent);
    a.abort();
    assert.deepEqual(await readAll(b), sent);
  });

  test("an abort after both directions ended is one", async (a, b) => {
    await Promise.all([a.closeWrite(), b.closeWrite()]);
    assert.equal(await a.read(), null);
    assert.equal(await b.read(), null);
    a.abort();
    b.abort();
    await assert.rejects(a.read(), { code: "aborted" });
    await assert.rejects(b.read(), { code: "aborted" });
  });

  const { makeDoomed } = options;
  if (makeDoomed === undefined) return;
  Deno.test(`${name}: a reset is \`closed\`, for a pending read and later calls`, async () => {
    const { connection, reset } = await makeDoomed();
    try {
      const reading = connection.read();
      reset();
      await assert.rejects(reading, isClosed);
      await assert.rejects(connection.write(Uint8Array.of(1)), isClosed);
    } finally {
      connection.abort();
    }
  });
}

/** Bytes in which any part tells where it belongs. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return bytes;
}

/** Everything until the end, by reads of at most these sizes in turn. */
export async function readAll(
  connection: Connection,
  maxima: readonly (number | null)[] = [null],
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let i = 0;; i++) {
    const chunk = await connection.read(maxima[i % maxima.length] ?? undefined);
    if (chunk === null) break;
    assert.ok(chunk.length > 0);
    parts.push(chunk.slice());
  }
  return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
}

async function writeChunks(connection: Connection, sizes: readonly number[]): Promise<void> {
  const whole = pattern(sum(sizes));
  let at = 0;
  for (const size of sizes) {
    await connection.write(whole.subarray(at, at + size));
    at += size;
  }
  await connection.closeWrite();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function isClosed(error: unknown): boolean {
  return error instanceof RatholeError && error.code === "closed";
}
