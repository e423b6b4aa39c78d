import assert from "node:assert/strict";
import {
  keyProblem,
  keyRole,
  NOISE_PATTERNS,
  noiseKeyBytes,
  type NoiseName,
  parseNoiseName,
} from "./noise_pattern.ts";

function name(text: string): NoiseName {
  const parsed = parseNoiseName(text);
  return typeof parsed === "string" ? assert.fail(parsed) : parsed;
}

Deno.test("12 interactive and 23 deferred patterns, each once", () => {
  assert.equal(new Set(NOISE_PATTERNS).size, 35);
  for (const pattern of NOISE_PATTERNS) name(`Noise_${pattern}_25519_AESGCM_SHA256`);
});

Deno.test("every function that there is", () => {
  for (const dh of ["25519", "448"]) {
    for (const cipher of ["ChaChaPoly", "AESGCM"]) {
      for (const hash of ["SHA256", "SHA512", "BLAKE2s", "BLAKE2b"]) {
        assert.deepEqual(name(`Noise_XX_${dh}_${cipher}_${hash}`), {
          pattern: "XX",
          dh,
          cipher,
          hash,
        });
      }
    }
  }
});

Deno.test("names that are none, and why", () => {
  for (
    const [text, why] of [
      ["", /not a Noise protocol name/],
      ["noise_NK_25519_ChaChaPoly_BLAKE2s", /not a Noise protocol name/],
      ["Noise_NK_25519_ChaChaPoly", /not a Noise protocol name/],
      ["Noise_N_25519_ChaChaPoly_BLAKE2s", /one-way pattern N/],
      ["Noise_X_25519_ChaChaPoly_BLAKE2s", /one-way pattern X/],
      ["Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s", /pre-shared key/],
      ["Noise_ZZ_25519_ChaChaPoly_BLAKE2s", /no handshake pattern/],
      ["Noise_NK2_25519_ChaChaPoly_BLAKE2s", /no handshake pattern/],
      ["Noise_NK_secp256k1_ChaChaPoly_BLAKE2s", /no Diffie-Hellman function.*25519, 448/],
      ["Noise_NK_25519_ChachaPoly_BLAKE2s", /no cipher.*did you mean ChaChaPoly/],
      ["Noise_NK_25519_AESGCM_MD5", /no hash.*SHA256, SHA512, BLAKE2s, BLAKE2b/],
    ] as const
  ) {
    const problem = parseNoiseName(text);
    assert(typeof problem === "string", text);
    assert.match(problem, why);
    assert.match(problem, /^[^;]+; .+$/);
  }
});

Deno.test("what becomes of each end's static key", () => {
  const use = (pattern: string) => {
    const parsed = name(`Noise_${pattern}_25519_AESGCM_SHA256`);
    return [keyRole(parsed, "client"), keyRole(parsed, "server")];
  };
  assert.deepEqual(use("NN"), ["none", "none"]);
  assert.deepEqual(use("NK1"), ["none", "known"]);
  assert.deepEqual(use("K1X1"), ["known", "sent"]);
  assert.deepEqual(use("IK"), ["sent", "known"]);
  assert.deepEqual(use("X1N"), ["sent", "none"]);
});

Deno.test("keys are standard base64 of the function's length", () => {
  const key = (bytes: number) => btoa("\xfb".repeat(bytes));
  assert.equal(keyProblem(key(32), 32), undefined);
  assert.equal(keyProblem(key(32).replace("=", ""), 32), undefined, "0.5.0 takes it unpadded");
  assert.equal(keyProblem(key(56), noiseKeyBytes(name("Noise_NK_448_AESGCM_SHA256"))), undefined);
  assert.match(keyProblem(key(31), 32) ?? "", /is 31 bytes long/);
  assert.match(keyProblem(key(32).replaceAll("+", "-").replaceAll("/", "_"), 32) ?? "", /URL form/);
  assert.match(keyProblem("a key", 32) ?? "", /not base64/);
  assert.match(keyProblem("A".repeat(41), 32) ?? "", /cut off/);
  assert.match(keyProblem(`${key(32)}=`, 32) ?? "", /wrong number of =/);
  assert.match(keyProblem(`${key(30)}=`, 30) ?? "", /wrong number of =/);
  assert.match(keyProblem("", 32) ?? "", /is 0 bytes/);
});
