/**
 * The frames behind a noise handshake, against a hand-made other end.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { pattern as patternBytes } from "../../tests/support/connection_contract.ts";
import { type MemoryOptions, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { readExact } from "../net/read_exact.ts";
import { CipherState } from "../noise/cipher_state.ts";
import { openSuite } from "../noise/suite.ts";
import { SealedBuffers, sealedLength } from "./noise_buffers.ts";
import { NoiseConnection } from "./noise_connection.ts";

const KEY = new Uint8Array(32).fill(1);
const { cipher } = await openSuite({ dh: "25519", cipher: "ChaChaPoly", hash: "BLAKE2s" });

/** A connection with known keys, the connection below it, and the other end of that. */
function setUp(options: MemoryOptions = {}) {
  const [below, wire] = memoryPair({ capacity: 1 << 20, ...options });
  const state = () => new CipherState(cipher, KEY);
  const buffers = new SealedBuffers();
  const connection = new NoiseConnection(below, { send: state(), receive: state() }, buffers);
  return { below, wire, buffers, connection, sealer: state(), opener: state() };
}

function frame(sealer: CipherState, text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + text.length + 16);
  new DataView(bytes.buffer).setUint16(0, text.length + 16, true);
  sealer.seal(text, bytes, 2);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("what is written is cut into full frames, in one write, and none is empty", async () => {
  for (
    const [size, frames] of [
      [0, []],
      [1, [1]],
      [65_518, [65_518]],
      [65_519, [65_519]],
      [65_520, [65_519, 1]],
      [262_144, [65_519, 65_519, 65_519, 65_519, 68]],
      [262_145, [65_519, 65_519, 65_519, 65_519, 68, 1]],
    ] as const
  ) {
    const { connection, wire, opener } = setUp();
    const text = patternBytes(size);
    const writing = connection.write(text);
    let at = 0;
    for (const expected of frames) {
      const header = await readExact(wire, 2);
      const length = (header[0] ?? 0) | (header[1] ?? 0) << 8;
      assert.equal(length, expected + 16, `${size}`);
      const opened = opener.open((await readExact(wire, length)).slice());
      assert.deepEqual(opened, text.subarray(at, at += expected));
    }
    await writing;
    await connection.closeWrite();
    assert.equal(await wire.read(), null, "nothing else, and a bare end");
    connection.abort();
  }
});

Deno.test("frames arrive whole however the bytes below are cut", async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 100_000 }), async (sizes, readSize) => {
      const texts = sizes.map((size) => patternBytes(Math.min(size, 65_519)));
      fc.pre(texts.some((text) => text.length > 0));
      const { connection, wire, sealer } = setUp({ readSize });
      const writing = wire.write(concat(...texts.map((text) => frame(sealer, text))));
      const expected = concat(...texts);
      assert.deepEqual(await readExact(connection, expected.length), expected);
      await writing;
      connection.abort();
    }),
    { numRuns: 15 },
  );
});

Deno.test("a frame with any byte changed ends both directions, with one reason", async () => {
  const text = patternBytes(40);
  for (let at = 0; at < 2 + text.length + 16; at++) {
    for (const mask of [0x01, 0x80]) {
      const { connection, below, wire, sealer } = setUp();
      const good = frame(sealer, text);
      const bad = frame(sealer, text);
      bad[at] = (bad[at] ?? 0) ^ mask;
      await wire.write(good);
      assert.deepEqual(await connection.read(), text);
      const reading = connection.read();
      await wire.write(bad);
      // A longer announcement waits for more than there is.
      await wire.closeWrite();
      const reason = await reading.then(() => assert.fail(`byte ${at}`), (error) => error);
      assert.match(reason.code, at < 2 ? /^(untrusted|protocol|closed)$/ : /^untrusted$/);
      assert.ok(below.aborted);
      for (let i = 0; i < 2; i++) {
        await assert.rejects(connection.read(), reason);
        await assert.rejects(connection.write(text), reason);
        await assert.rejects(connection.closeWrite(), reason);
      }
    }
  }
});

Deno.test("frames that come again, or in another order, are refused", async () => {
  for (const order of [[0, 0], [1, 0]] as const) {
    const { connection, wire, sealer } = setUp();
    const frames = [frame(sealer, Uint8Array.of(1)), frame(sealer, Uint8Array.of(2))];
    await wire.write(concat(...order.map((i) => frames[i] ?? assert.fail())));
    await assert.rejects(connection.read(), { code: "untrusted" });
  }
});

Deno.test("an end within a frame is an error, after any number of its bytes", async () => {
  const text = patternBytes(20);
  const length = 2 + text.length + 16;
  for (let cut = 0; cut <= length; cut++) {
    const { connection, wire, sealer } = setUp();
    await wire.write(concat(frame(sealer, text), frame(sealer, text).subarray(0, cut)));
    await wire.closeWrite();
    let whole = (await connection.read())?.length;
    assert.ok(whole !== undefined);
    if (cut === length && whole === text.length) whole += (await connection.read())?.length ?? 0;
    if (cut === 0 || cut === length) {
      assert.equal(whole, cut === 0 ? text.length : 2 * text.length);
      for (let i = 0; i < 2; i++) assert.equal(await connection.read(), null);
    } else {
      const said = { code: "closed", message: new RegExp(`within a noise message, after ${cut} `) };
      for (let i = 0; i < 2; i++) await assert.rejects(connection.read(), said);
    }
    connection.abort();
  }
});

Deno.test("one byte behind the handshake waits quietly, and ends with the connection", async () => {
  const { connection, below, wire } = setUp();
  await wire.write(Uint8Array.of(5));
  let reads = 0;
  const { read } = below;
  below.read = function (max) {
    reads++;
    return read.call(this, max);
  };
  const reading = follow(connection.read());
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(reading().state, "pending");
  assert.equal(reads, 2);
  await wire.closeWrite();
  await turn();
  const seen = reading();
  assert.ok(seen.state === "rejected");
  await assert.rejects(Promise.reject(seen.reason), { code: "closed", message: /after 1 bytes/ });
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(reads, 2);
});

Deno.test("a length that no message can have is fatal at once", async () => {
  for (const length of [0, 1, 15]) {
    const { connection, wire } = setUp();
    await wire.write(Uint8Array.of(length, 0));
    const said = { code: "protocol", message: new RegExp(`of ${length} bytes, too short`) };
    await assert.rejects(connection.read(), said);
  }
});

Deno.test("empty messages are nothing, and nothing but them is refused", async () => {
  const nothing = new Uint8Array(0);
  const { connection, wire, sealer } = setUp();
  const some = () => Array.from({ length: 64 }, () => frame(sealer, nothing));
  await wire.write(concat(...some(), frame(sealer, Uint8Array.of(1)), ...some()));
  assert.deepEqual(await connection.read(), Uint8Array.of(1));
  const reading = connection.read();
  await wire.write(frame(sealer, nothing));
  await assert.rejects(reading, { code: "protocol", message: /nothing but empty/ });
});

Deno.test("small frames that arrived together are lent together, in bounded portions", async () => {
  const { connection, wire, sealer } = setUp({ readSize: 1 << 20 });
  const texts = Array.from({ length: 1000 }, (_, i) => patternBytes(i % 7 + 1));
  await wire.write(concat(...texts.map((text) => frame(sealer, text))));
  const expected = concat(...texts);
  const got: number[] = [];
  let reads = 0;
  for (; got.length < expected.length; reads++) got.push(...await connection.read() ?? []);
  assert.deepEqual(Uint8Array.from(got), expected);
  assert.equal(reads, Math.ceil(1000 / 64));
  connection.abort();
});

Deno.test("the last nonce ends the connection with a reason", async () => {
  const [below] = memoryPair();
  const state = () => new CipherState(cipher, KEY, 0xffff_ffff_ffff_fffen);
  const keys = { send: state(), receive: state() };
  const connection = new NoiseConnection(below, keys, new SealedBuffers());
  await connection.write(Uint8Array.of(1));
  await assert.rejects(connection.write(Uint8Array.of(2)), { code: "limit" });
  assert.ok(below.aborted);
});

Deno.test("random frames neither hang nor crash", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (junk) => {
      const { connection, wire } = setUp();
      await wire.write(junk);
      await wire.closeWrite();
      const codes = /^(untrusted|protocol|closed)$/;
      await assert.rejects(connection.read(), { name: "RatholeError", code: codes });
    }),
  );
});

Deno.test("buffers are back when nothing is under way, and only so many are kept", async () => {
  const { connection, wire, sealer, buffers } = setUp();
  await connection.write(patternBytes(10));
  assert.equal(buffers.spareBytes, sealedLength(1024));
  const whole = frame(sealer, patternBytes(65_519));
  await wire.write(whole.subarray(0, 60_000));
  const reading = connection.read();
  await turn();
  assert.ok(buffers.spareBytes < 60_000, "the larger one is in use");
  await wire.write(whole.subarray(60_000));
  assert.equal((await reading)?.length, 65_519);
  assert.ok(buffers.spareBytes > 65_536);
  const taken = Array.from({ length: 40 }, () => buffers.take(sealedLength(256 << 10)));
  for (const buffer of taken) buffers.give(buffer);
  assert.ok(buffers.spareBytes <= 2 << 20);
  connection.abort();
});

Deno.test("setNoDelay reaches the connection below", () => {
  const { connection, below } = setUp();
  connection.setNoDelay(false);
  assert.equal(below.noDelay, false);
});
