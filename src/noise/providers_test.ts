/**
 * The two implementations, each against the other.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";
import { type Provider, type Suite, TAG_BYTES } from "./primitives.ts";
import { openSuite, suiteOf } from "./suite.ts";

const NAMES = [
  { dh: "25519", cipher: "ChaChaPoly", hash: "BLAKE2s" },
  { dh: "25519", cipher: "AESGCM", hash: "SHA256" },
  { dh: "448", cipher: "ChaChaPoly", hash: "BLAKE2b" },
  { dh: "448", cipher: "AESGCM", hash: "SHA512" },
];
const NONE: Provider = { dh: () => undefined, cipher: () => undefined, hash: () => undefined };

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const text = (most = 300) => fc.uint8Array({ maxLength: most });

async function both(name: typeof NAMES[number]): Promise<[Suite, Suite]> {
  const only = () => assert.fail("one is to have all");
  return [await suiteOf(name, nodeProvider, only), await suiteOf(name, nobleProvider, only)];
}

for (const name of NAMES) {
  const label = Object.values(name).join(" ");

  Deno.test(`${label}: key agreement is the same in both`, async () => {
    const [node, noble] = await both(name);
    const key = bytes(node.dh.keyBytes);
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [pairA, pairB] = [node.dh.keyPair(a), noble.dh.keyPair(b)];
        assert.deepEqual(pairA.publicKey, noble.dh.keyPair(a).publicKey);
        assert.deepEqual(pairA.agree(pairB.publicKey), pairB.agree(pairA.publicKey));
      }),
      { numRuns: 20 },
    );
    const [fresh, other] = [node.dh.generate(), noble.dh.generate()];
    assert.deepEqual(fresh.agree(other.publicKey), other.agree(fresh.publicKey));
    assert.notDeepEqual(fresh.publicKey, node.dh.generate().publicKey);
  });

  Deno.test(`${label}: a key pair does not print its private half`, async () => {
    const secret = new Uint8Array(56).fill(0xa5);
    for (const { dh } of await both(name)) {
      const printed = Deno.inspect(dh.keyPair(secret.subarray(0, dh.keyBytes)), { depth: 9 });
      assert.doesNotMatch(printed, /165|a5a5/);
    }
  });

  Deno.test(`${label}: a public key without a shared secret is refused by both`, async () => {
    for (const { dh } of await both(name)) {
      const pair = dh.generate();
      for (const first of [0, 1]) {
        const weak = new Uint8Array(dh.keyBytes);
        weak[0] = first;
        assert.throws(() => pair.agree(weak), { code: "untrusted" });
      }
    }
  });

  Deno.test(`${label}: what one seals the other opens, to the byte`, async () => {
    const [node, noble] = await both(name);
    fc.assert(
      fc.property(
        bytes(32),
        bytes(12),
        text(),
        text(3000),
        fc.nat(),
        (key, nonce, ad, plain, i) => {
          const ciphers = [node.cipher.keyed(key), noble.cipher.keyed(key)] as const;
          const [fast, twin] = ciphers.map((cipher) => {
            const out = new Uint8Array(plain.length + TAG_BYTES + 2);
            cipher.seal(nonce, ad, plain, out, 1);
            assert.deepEqual([out[0], out.at(-1)], [0, 0], "written beside");
            return out.slice(1, -1);
          });
          assert.ok(fast !== undefined && twin !== undefined);
          assert.deepEqual(fast, twin);
          for (const cipher of ciphers) {
            const opened = cipher.open(nonce, ad, fast);
            assert.deepEqual(opened, plain);
            assert.equal(Object.getPrototypeOf(opened), Uint8Array.prototype);
          }
          const at = i % fast.length;
          fast[at] = (fast[at] ?? 0) ^ (1 << i % 8);
          for (const cipher of ciphers) assert.throws(() => cipher.open(nonce, ad, fast));
        },
      ),
      { numRuns: 60 },
    );
  });

  Deno.test(`${label}: digests and HMACs are the same in both`, async () => {
    const [{ hash: node }, { hash: noble }] = await both(name);
    assert.equal(node.length, noble.length);
    fc.assert(fc.property(text(200), text(), text(), (key, a, b) => {
      const whole = Uint8Array.from([...a, ...b]);
      assert.deepEqual(node.digest(a, b), noble.digest(whole));
      assert.deepEqual(noble.digest(a, b), node.digest(whole));
      assert.equal(node.digest(a).length, node.length);
      assert.deepEqual(node.hmac(key, a, b), noble.hmac(key, whole));
      assert.deepEqual(noble.hmac(key, a, b), node.hmac(key, whole));
    }));
  });
}

Deno.test("each function comes from the first that has it; the second is loaded only then", async () => {
  const name = { dh: "25519", cipher: "AESGCM", hash: "SHA256" };
  const { dh, hash } = nodeProvider;
  const suite = await suiteOf(name, { ...NONE, dh, hash }, () => Promise.resolve(nobleProvider));
  assert.equal(suite.cipher.littleEndian, false);
  await suiteOf(name, nodeProvider, () => assert.fail("loaded in vain"));
  assert.equal((await openSuite(name)).dh.keyBytes, 32);
});

Deno.test("a function that nobody has is `unsupported`", async () => {
  for (
    const name of [
      { dh: "P256", cipher: "AESGCM", hash: "SHA256" },
      { dh: "25519", cipher: "AES", hash: "SHA256" },
      { dh: "25519", cipher: "AESGCM", hash: "MD5" },
    ]
  ) {
    await assert.rejects(openSuite(name), { code: "unsupported" });
  }
});
