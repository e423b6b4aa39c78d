/**
 * The running hash and the keys of a handshake (Noise, section 5.2).
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import { CipherState } from "./cipher_state.ts";
import { type Hash, KEY_BYTES, type Suite, TAG_BYTES } from "./primitives.ts";

const NOTHING = new Uint8Array(0);

/** Mixes in all that was said and all secrets that were shared, and encrypts as soon as it can. */
export class SymmetricState {
  readonly #suite: Suite;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  /** Starts from the protocol's full name, which is hashed where it is longer than a digest. */
  constructor(suite: Suite, protocol: string) {
    this.#suite = suite;
    const name = new TextEncoder().encode(protocol);
    if (name.length > suite.hash.length) {
      this.#hash = suite.hash.digest(name);
    } else {
      this.#hash = new Uint8Array(suite.hash.length);
      this.#hash.set(name);
    }
    this.#chainingKey = this.#hash;
  }

  /** The hash of everything so far; at the end, what both ends have in common and no others. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** A public text joins the hash. */
  mixHash(data: Uint8Array): void {
    this.#hash = this.#suite.hash.digest(this.#hash, data);
  }

  /** A secret joins the keys. */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#suite.hash, this.#chainingKey, secret);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#suite.cipher, key.subarray(0, KEY_BYTES));
  }

  /** The text as it goes over the wire: sealed, 16 bytes longer, once there is a key. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    let wire = plaintext;
    if (this.#cipher !== undefined) {
      wire = new Uint8Array(plaintext.length + TAG_BYTES);
      this.#cipher.seal(plaintext, wire, 0, this.#hash);
    }
    this.mixHash(wire);
    return wire;
  }

  /**
   * The reverse of {@linkcode SymmetricState.encryptAndHash}.
   *
   * @throws {RatholeError} `untrusted` when the two ends have not the same keys and history,
   * `protocol` when there is not even a tag.
   */
  decryptAndHash(wire: Uint8Array): Uint8Array {
    let plaintext = wire;
    if (this.#cipher !== undefined) {
      if (wire.length < TAG_BYTES) throw tooShort();
      plaintext = this.#cipher.open(wire, this.#hash);
    }
    this.mixHash(wire);
    return plaintext;
  }

  /** How many bytes more than its text something has on the wire now: 16 or 0. */
  get overhead(): number {
    return this.#cipher === undefined ? 0 : TAG_BYTES;
  }

  /** The two keys that the handshake was for: the initiator's to send with, the responder's. */
  split(): readonly [CipherState, CipherState] {
    const [first, second] = hkdf(this.#suite.hash, this.#chainingKey, NOTHING);
    const state = (key: Uint8Array) =>
      new CipherState(this.#suite.cipher, key.subarray(0, KEY_BYTES));
    return [state(first), state(second)];
  }
}

/** What a message is that ends too early. */
export function tooShort(): RatholeError {
  return new RatholeError("protocol", "a noise handshake message is too short");
}

/** HKDF with two outputs (Noise, section 4.3; RFC 5869 with an empty `info`). */
function hkdf(hash: Hash, chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const key = hash.hmac(chainingKey, input);
  const first = hash.hmac(key, Uint8Array.of(1));
  return [first, hash.hmac(key, first, Uint8Array.of(2))];
}
