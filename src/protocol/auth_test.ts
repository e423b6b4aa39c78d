import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { createNonce, equalDigests, isMarked, serviceDigest, sessionKey } from "./auth.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

Deno.test("digests are SHA-256 of exactly the bytes that rathole hashes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), bytes32, async (text, nonce) => {
      const name = createHash("sha256").update(text, "utf8").digest("hex");
      assert.equal((await serviceDigest(text)).toHex(), name);
      const key = createHash("sha256").update(text, "utf8").update(nonce).digest("hex");
      assert.equal((await sessionKey(text, nonce)).toHex(), key);
    }),
  );
});

Deno.test("our nonces are recognised and differ; a stranger's or a changed one is not", async () => {
  const nonce = await createNonce();
  assert.equal(nonce.length, 32);
  assert.equal(await isMarked(nonce), true);
  assert.notDeepEqual(await createNonce(), nonce);
  for (let i = 0; i < nonce.length; i++) {
    const changed = nonce.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.equal(await isMarked(changed), false, `byte ${i} changed`);
  }
  await fc.assert(fc.asyncProperty(bytes32, async (other) => assert.ok(!await isMarked(other))));
});

Deno.test("digests are equal only when every byte is", () => {
  fc.assert(fc.property(bytes32, fc.nat(31), fc.integer({ min: 1, max: 255 }), (a, i, flip) => {
    assert.ok(equalDigests(a, a.slice()));
    const b = a.slice();
    b[i] = (b[i] ?? 0) ^ flip;
    assert.ok(!equalDigests(a, b));
    assert.ok(!equalDigests(a, a.subarray(0, i)));
  }));
});
