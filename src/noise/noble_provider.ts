/**
 * Noise's functions in plain JavaScript, by the @noble packages: for runtimes whose node:crypto
 * lacks one, and as the twin that the fast ones are checked against. It has all of them.
 *
 * @module
 */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { x448 } from "@noble/curves/ed448.js";
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { RatholeError } from "../runtime/errors.ts";
import type { Cipher, DiffieHellman, Hash, KeyPair, Provider } from "./primitives.ts";

const CURVES = { "25519": { curve: x25519, keyBytes: 32 }, "448": { curve: x448, keyBytes: 56 } };
const CIPHERS = { ChaChaPoly: chacha20poly1305, AESGCM: gcm };
const HASHES = { SHA256: sha256, SHA512: sha512, BLAKE2s: blake2s, BLAKE2b: blake2b };

/** The portable functions. */
export const nobleProvider: Provider = {
  dh(name): DiffieHellman | undefined {
    if (name !== "25519" && name !== "448") return undefined;
    const { curve, keyBytes } = CURVES[name];
    const keyPair = (privateKey: Uint8Array): KeyPair => {
      // The caller's array is free again.
      const secret = privateKey.slice();
      return {
        publicKey: curve.getPublicKey(secret),
        agree(publicKey) {
          try {
            return curve.getSharedSecret(secret, publicKey);
          } catch (cause) {
            throw new RatholeError("untrusted", "no secret can be shared with that public key", {
              cause,
            });
          }
        },
      };
    };
    const generate = () => keyPair(curve.utils.randomSecretKey());
    return { keyBytes, generate, keyPair };
  },

  cipher(name): Cipher | undefined {
    if (name !== "ChaChaPoly" && name !== "AESGCM") return undefined;
    const cipher = CIPHERS[name];
    return {
      littleEndian: name === "ChaChaPoly",
      keyed: (key) => ({
        seal(nonce, ad, plaintext, out, at) {
          out.set(cipher(key, nonce, ad).encrypt(plaintext), at);
        },
        open(nonce, ad, sealed) {
          return cipher(key, nonce, ad).decrypt(sealed);
        },
      }),
    };
  },

  hash(name): Hash | undefined {
    if (name !== "SHA256" && name !== "SHA512" && name !== "BLAKE2s" && name !== "BLAKE2b") {
      return undefined;
    }
    const hash = HASHES[name];
    return {
      length: hash.outputLen,
      digest: (...parts) => hash(concatBytes(...parts)),
      hmac: (key, ...parts) => hmac(hash, key, concatBytes(...parts)),
    };
  },
};
