/**
 * Noise's functions by way of node:crypto, the fast ones. What a runtime lacks (Deno before 2.9:
 * ChaCha20-Poly1305, X448) is found out by trying it once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from "node:crypto";
import { RatholeError } from "../runtime/errors.ts";
import { free } from "../runtime/free.ts";
import {
  type Cipher,
  type DiffieHellman,
  type Hash,
  KEY_BYTES,
  type KeyedCipher,
  type KeyPair,
  NONCE_BYTES,
  type Provider,
  TAG_BYTES,
} from "./primitives.ts";

/** What stands before the raw key in RFC 8410's PKCS#8 and SubjectPublicKeyInfo. */
interface Curve {
  readonly keyBytes: number;
  readonly pkcs8: Uint8Array;
  readonly spki: Uint8Array;
}

const CURVES: ReadonlyMap<string, Curve> = new Map([
  ["25519", {
    keyBytes: 32,
    pkcs8: Uint8Array.fromHex("302e020100300506032b656e04220420"),
    spki: Uint8Array.fromHex("302a300506032b656e032100"),
  }],
  ["448", {
    keyBytes: 56,
    pkcs8: Uint8Array.fromHex("3046020100300506032b656f043a0438"),
    spki: Uint8Array.fromHex("3042300506032b656f033900"),
  }],
]);

const ALGORITHMS = { ChaChaPoly: "chacha20-poly1305", AESGCM: "aes-256-gcm" } as const;
type Algorithm = typeof ALGORITHMS[keyof typeof ALGORITHMS];

const DIGESTS: ReadonlyMap<string, string> = new Map([
  ["SHA256", "sha256"],
  ["SHA512", "sha512"],
  ["BLAKE2s", "blake2s256"],
  ["BLAKE2b", "blake2b512"],
]);

const OPTIONS = { authTagLength: TAG_BYTES } as const;

class NodeKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #curve: Curve;
  readonly #private: KeyObject;

  constructor(curve: Curve, privateKey: Uint8Array) {
    this.#curve = curve;
    const key = Buffer.concat([curve.pkcs8, privateKey]);
    this.#private = createPrivateKey({ key, format: "der", type: "pkcs8" });
    key.fill(0);
    const der = createPublicKey(this.#private).export({ format: "der", type: "spki" });
    this.publicKey = Uint8Array.from(der.subarray(curve.spki.length));
  }

  agree(publicKey: Uint8Array): Uint8Array {
    const key = Buffer.concat([this.#curve.spki, publicKey]);
    try {
      const other = createPublicKey({ key, format: "der", type: "spki" });
      return plain(diffieHellman({ privateKey: this.#private, publicKey: other }));
    } catch (cause) {
      throw new RatholeError("untrusted", "no secret can be shared with that public key", {
        cause,
      });
    }
  }
}

class NodeCipher implements KeyedCipher {
  readonly #algorithm: Algorithm;
  readonly #key: Uint8Array;

  constructor(algorithm: Algorithm, key: Uint8Array) {
    this.#algorithm = algorithm;
    this.#key = key;
  }

  seal(
    nonce: Uint8Array,
    ad: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
  ): void {
    // Alike but for their types, by which the two algorithms take other options.
    const cipher = this.#algorithm === "aes-256-gcm"
      ? createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS)
      : createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: plaintext.length });
    const encrypted = cipher.update(plaintext);
    out.set(encrypted, at);
    free(encrypted);
    // One that never ends leaks.
    cipher.final();
    out.set(cipher.getAuthTag(), at + plaintext.length);
  }

  open(nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    const length = sealed.length - TAG_BYTES;
    const decipher = this.#algorithm === "aes-256-gcm"
      ? createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS)
      : createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    decipher.setAuthTag(sealed.subarray(length));
    if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: length });
    const plaintext = decipher.update(sealed.subarray(0, length));
    decipher.final();
    return plain(plaintext);
  }
}

/** node:crypto as this runtime has it. */
export const nodeProvider: Provider = {
  dh(name): DiffieHellman | undefined {
    const curve = CURVES.get(name);
    if (curve === undefined) return undefined;
    const keyPair = (privateKey: Uint8Array) => new NodeKeyPair(curve, privateKey);
    const generate = () => {
      const seed = crypto.getRandomValues(new Uint8Array(curve.keyBytes));
      const pair = keyPair(seed);
      seed.fill(0);
      return pair;
    };
    const dh = { keyBytes: curve.keyBytes, generate, keyPair };
    return works(() => generate().agree(generate().publicKey)) ? dh : undefined;
  },

  cipher(name): Cipher | undefined {
    if (name !== "ChaChaPoly" && name !== "AESGCM") return undefined;
    const algorithm = ALGORITHMS[name];
    const keyed = (key: Uint8Array) => new NodeCipher(algorithm, key);
    const cipher = { littleEndian: name === "ChaChaPoly", keyed };
    return works(() => {
        const trial = keyed(new Uint8Array(KEY_BYTES));
        const [nonce, ad] = [new Uint8Array(NONCE_BYTES), Uint8Array.of(1)];
        const sealed = new Uint8Array(1 + TAG_BYTES);
        trial.seal(nonce, ad, ad, sealed, 0);
        trial.open(nonce, ad, sealed);
      })
      ? cipher
      : undefined;
  },

  hash(name): Hash | undefined {
    const algorithm = DIGESTS.get(name);
    if (algorithm === undefined) return undefined;
    const hash = {
      length: name === "SHA256" || name === "BLAKE2s" ? 32 : 64,
      digest: (...parts: readonly Uint8Array[]) => {
        const state = createHash(algorithm);
        for (const part of parts) state.update(part);
        return plain(state.digest());
      },
      hmac: (key: Uint8Array, ...parts: readonly Uint8Array[]) => {
        const state = createHmac(algorithm, key);
        for (const part of parts) state.update(part);
        return plain(state.digest());
      },
    };
    return works(() => hash.hmac(hash.digest())) ? hash : undefined;
  },
};

/** Whether the runtime can do it. */
function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

/** Without Buffer's own ways, such as a `slice` that does not copy. */
function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
