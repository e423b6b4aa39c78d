import { deepEqual, equal, rejects } from "node:assert/strict";
import fc from "fast-check";
import { readFirstRecord } from "./tls_hello.ts";

/** A socket that delivers these pieces, one a read where there is room, and then its end. */
function socketOf(pieces: readonly Uint8Array[]): Pick<Deno.TcpConn, "read"> {
  const left = [...pieces];
  return {
    read(into: Uint8Array): Promise<number | null> {
      const piece = left.shift();
      if (piece === undefined) return Promise.resolve(null);
      const taken = piece.subarray(0, into.length);
      if (taken.length < piece.length) left.unshift(piece.subarray(taken.length));
      into.set(taken);
      return Promise.resolve(taken.length);
    },
  };
}

function record(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5 + length).fill(7);
  bytes.set([type, 3, 1, length >> 8, length & 0xff]);
  return bytes;
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
    .filter((piece) => piece.length > 0);
}

Deno.test("a first record is whole however it was cut on its way", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 0, max: 1 << 14 }),
    fc.array(fc.nat(20_000), { maxLength: 20 }),
    async (length, places) => {
      const bytes = record(22, length);
      deepEqual(await readFirstRecord(socketOf(cut(bytes, places))), bytes);
    },
  ));
});

Deno.test("what follows the record is returned with it when it came with it, and not waited for", async () => {
  const both = new Uint8Array([...record(22, 10), 1, 2, 3]);
  deepEqual(await readFirstRecord(socketOf([both])), both);
  deepEqual(await readFirstRecord(socketOf([record(22, 10), new Uint8Array(9)])), record(22, 10));
});

Deno.test("what is no handshake record is returned with its first byte", async () => {
  const words = new TextEncoder().encode("GET / HTTP/1.1");
  deepEqual(await readFirstRecord(socketOf([words.subarray(0, 1), words])), words.subarray(0, 1));
});

Deno.test("a record longer than records may be is not waited for", async () => {
  const header = Uint8Array.of(22, 3, 1, 0x40, 0x01);
  deepEqual(await readFirstRecord(socketOf([header, new Uint8Array(99)])), header);
});

Deno.test("an end returns what there is, be it nothing", async () => {
  equal((await readFirstRecord(socketOf([]))).length, 0);
  const some = record(22, 100).subarray(0, 50);
  deepEqual(await readFirstRecord(socketOf([some])), some);
});

Deno.test("the socket's error is the reader's", async () => {
  const broken = { read: () => Promise.reject(new Deno.errors.ConnectionReset("reset")) };
  await rejects(readFirstRecord(broken), Deno.errors.ConnectionReset);
});
