/**
 * A key and the counter of its messages (Noise, section 5.1).
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import { type Cipher, type KeyedCipher, NONCE_BYTES } from "./primitives.ts";

const NOTHING = new Uint8Array(0);
const LOW_LIMIT = 2 ** 32;

/**
 * Seals messages in order, or opens them in the same order. The nonce is four zero bytes and the
 * 64-bit number of the message, in the byte order of the cipher.
 */
export class CipherState {
  readonly #cipher: KeyedCipher;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #view = new DataView(this.#nonce.buffer);
  readonly #littleEndian: boolean;
  readonly #lowAt: number;
  readonly #highAt: number;
  #low: number;
  #high: number;

  /** `key` is 32 bytes; the first message's number is 0 but where a test wants to see the last. */
  constructor(cipher: Cipher, key: Uint8Array, first = 0n) {
    this.#cipher = cipher.keyed(key);
    this.#littleEndian = cipher.littleEndian;
    this.#lowAt = cipher.littleEndian ? 4 : 8;
    this.#highAt = cipher.littleEndian ? 8 : 4;
    this.#low = Number(first & 0xffff_ffffn);
    this.#high = Number(first >> 32n);
    this.#view.setUint32(this.#highAt, this.#high, this.#littleEndian);
  }

  /**
   * Writes the sealed message, 16 bytes more than `plaintext`, to `out` from `at` on.
   *
   * @throws {RatholeError} `limit` when the key has served for all the messages it may.
   */
  seal(plaintext: Uint8Array, out: Uint8Array, at: number, ad: Uint8Array = NOTHING): void {
    this.#cipher.seal(this.#setNonce(), ad, plaintext, out, at);
    this.#count();
  }

  /**
   * The plaintext of the next message, in an array of its own. The message has at least 16 bytes.
   *
   * @throws {RatholeError} `untrusted` when it is not what the holder of the key sealed next;
   * `limit` as {@linkcode CipherState.seal}.
   */
  open(sealed: Uint8Array, ad: Uint8Array = NOTHING): Uint8Array {
    const nonce = this.#setNonce();
    let plaintext;
    try {
      plaintext = this.#cipher.open(nonce, ad, sealed);
    } catch (cause) {
      throw new RatholeError("untrusted", "a noise message does not decrypt", { cause });
    }
    this.#count();
    return plaintext;
  }

  #setNonce(): Uint8Array {
    // The last number is reserved for rekeying.
    if (this.#low === LOW_LIMIT - 1 && this.#high === LOW_LIMIT - 1) {
      throw new RatholeError("limit", "2^64 - 1 noise messages were sent: connect again");
    }
    this.#view.setUint32(this.#lowAt, this.#low, this.#littleEndian);
    return this.#nonce;
  }

  /** Only what was sealed or opened counts (section 5.1). */
  #count(): void {
    if (++this.#low < LOW_LIMIT) return;
    this.#low = 0;
    this.#high++;
    this.#view.setUint32(this.#highAt, this.#high, this.#littleEndian);
  }
}
