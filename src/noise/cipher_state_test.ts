import assert from "node:assert/strict";
import { CipherState } from "./cipher_state.ts";
import { openSuite } from "./suite.ts";

const KEY = new Uint8Array(32).fill(3);
const NOTHING = new Uint8Array(0);
const TEXT = Uint8Array.of(1, 2, 3);

async function cipherOf(cipher: string) {
  return (await openSuite({ dh: "25519", cipher, hash: "SHA256" })).cipher;
}

function sealed(state: CipherState): Uint8Array {
  const out = new Uint8Array(TEXT.length + 16);
  state.seal(TEXT, out, 0);
  return out;
}

Deno.test("the counter is little-endian for ChaChaPoly, big-endian for AESGCM, and carries", async () => {
  for (
    const [name, nonces] of [
      ["ChaChaPoly", [
        "00000000feffffff01000000",
        "00000000ffffffff01000000",
        "000000000000000002000000",
      ]],
      ["AESGCM", [
        "0000000000000001fffffffe",
        "0000000000000001ffffffff",
        "000000000000000200000000",
      ]],
    ] as const
  ) {
    const cipher = await cipherOf(name);
    const state = new CipherState(cipher, KEY, 0x1_ffff_fffen);
    const receiver = new CipherState(cipher, KEY, 0x1_ffff_fffen);
    for (const nonce of nonces) {
      const message = sealed(state);
      const expected = cipher.keyed(KEY).open(Uint8Array.fromHex(nonce), NOTHING, message);
      assert.deepEqual(expected, TEXT);
      assert.deepEqual(receiver.open(message), TEXT);
    }
  }
});

Deno.test("the last number is never used", async () => {
  const state = new CipherState(await cipherOf("AESGCM"), KEY, 0xffff_ffff_ffff_fffen);
  const last = sealed(state);
  assert.throws(() => sealed(state), { code: "limit" });
  assert.throws(() => state.open(last), { code: "limit" });
});

Deno.test("what does not decrypt is `untrusted`, and does not count", async () => {
  const cipher = await cipherOf("ChaChaPoly");
  const [sender, receiver] = [new CipherState(cipher, KEY), new CipherState(cipher, KEY)];
  const message = sealed(sender);
  for (let i = 0; i < message.length; i++) {
    const changed = message.slice();
    changed[i] = (changed[i] ?? 0) ^ 0x40;
    assert.throws(() => receiver.open(changed), { name: "RatholeError", code: "untrusted" });
  }
  assert.throws(() => receiver.open(message, TEXT), { code: "untrusted" });
  assert.deepEqual(receiver.open(message), TEXT);
  assert.throws(() => receiver.open(message), { code: "untrusted" }, "a replay");
});
