import { equal, match, notDeepEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { formatKeyPair, generateKeyPair } from "./genkey.ts";

/** What stands before the raw private key in PKCS#8, by RFC 8410. */
const PKCS8_HEAD = {
  x25519: "302e020100300506032b656e04220420",
  x448: "3046020100300506032b656f043a0438",
};

for (const [curve, length] of [["x25519", 32], ["x448", 56]] as const) {
  Deno.test(`generateKeyPair - the ${curve} public key belongs to the private one`, async () => {
    const { privateKey, publicKey } = await generateKeyPair(curve);
    equal(privateKey.length, length);
    equal(publicKey.length, length);
    const key = createPrivateKey({
      key: Buffer.from(PKCS8_HEAD[curve] + privateKey.toHex(), "hex"),
      format: "der",
      type: "pkcs8",
    });
    const spki = createPublicKey(key).export({ format: "der", type: "spki" });
    equal(spki.subarray(-length).toString("hex"), publicKey.toHex());
  });
}

Deno.test("generateKeyPair - makes another one each time", async () => {
  notDeepEqual(await generateKeyPair("x25519"), await generateKeyPair("x25519"));
});

Deno.test("formatKeyPair - prints what rathole 0.5.0 prints", async () => {
  const text = formatKeyPair({
    privateKey: new Uint8Array(32).fill(0xff),
    publicKey: new Uint8Array(32),
  });
  equal(text, `Private Key:\n${"/".repeat(42)}8=\n\nPublic Key:\n${"A".repeat(43)}=\n`);
  const line = "[A-Za-z0-9+/]{43}=\n";
  match(
    formatKeyPair(await generateKeyPair("x25519")),
    new RegExp(`^Private Key:\n${line}\nPublic Key:\n${line}$`),
  );
});
