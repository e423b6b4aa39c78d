/**
 * The masking of RFC 6455, section 5.3: it protects proxies from a client whose bytes look like
 * HTTP, and keeps nothing secret.
 *
 * @module
 */

/** Below so many bytes, a view of 32-bit words costs more than it saves. */
const FEW = 48;
/** Keys drawn from the system at once. */
const BATCH = 256;

/**
 * XORs `bytes[from]` to `bytes[to - 1]` with the key's four bytes in turn, least significant first.
 * Doing it again undoes it.
 *
 * @param key as a 32-bit integer whose least significant byte is the first on the wire
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, key: number): void {
  let at = from;
  if (to - from >= FEW) {
    while ((bytes.byteOffset + at & 3) !== 0) {
      bytes[at] = (bytes[at] ?? 0) ^ key;
      key = rotateKey(key, 1);
      at++;
    }
    // Everything that Deno runs on is little-endian: so is the key, byte by byte.
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, to - at >> 2);
    maskWords(words, key);
    at += words.length << 2;
  }
  for (; at < to; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ key;
    key = rotateKey(key, 1);
  }
}

/** The key for what follows `count` bytes that were masked with it. */
export function rotateKey(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? key : key >>> bits | key << 32 - bits;
}

function maskWords(words: Uint32Array, key: number): void {
  const { length } = words;
  let i = 0;
  for (const end = length & ~3; i < end; i += 4) {
    words[i] = (words[i] ?? 0) ^ key;
    words[i + 1] = (words[i + 1] ?? 0) ^ key;
    words[i + 2] = (words[i + 2] ?? 0) ^ key;
    words[i + 3] = (words[i + 3] ?? 0) ^ key;
  }
  for (; i < length; i++) words[i] = (words[i] ?? 0) ^ key;
}

/** Masking keys that nobody can foresee, as RFC 6455, section 10.3 asks. */
export class MaskKeys {
  readonly #keys = new Int32Array(BATCH);
  #used = BATCH;

  /** A key that was not used before. */
  next(): number {
    if (this.#used === BATCH) {
      crypto.getRandomValues(this.#keys);
      this.#used = 0;
    }
    return this.#keys[this.#used++] ?? 0;
  }
}
