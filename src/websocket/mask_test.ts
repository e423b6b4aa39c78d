import assert from "node:assert/strict";
import fc from "fast-check";
import { applyMask, MaskKeys, rotateKey } from "./mask.ts";

Deno.test("masking is the XOR of RFC 6455 wherever the bytes lie and however they are cut", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const offset = fc.integer({ min: 0, max: 9 });
  fc.assert(fc.property(bytes, offset, fc.integer(), fc.nat(), (payload, at, key, cut) => {
    const around = new Uint8Array(at + payload.length + 5).fill(0x55);
    around.set(payload, at);
    const end = at + payload.length;
    const middle = at + cut % (payload.length + 1);
    applyMask(around, at, middle, key);
    applyMask(around, middle, end, rotateKey(key, middle - at));
    const keyBytes = new Uint8Array(Int32Array.of(key).buffer);
    const expected = payload.map((byte, i) => byte ^ (keyBytes[i % 4] ?? 0));
    assert.deepEqual(around.slice(at, end), expected);
    assert.ok(around.slice(0, at).every((byte) => byte === 0x55));
    assert.ok(around.slice(end).every((byte) => byte === 0x55));
  }));
});

Deno.test("keys do not repeat from batch to batch", () => {
  const keys = new MaskKeys();
  const seen = new Set(Array.from({ length: 1000 }, () => keys.next()));
  assert.ok(seen.size > 990, `${seen.size} of 1000 differ`);
});
