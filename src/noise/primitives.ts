/**
 * What a Noise handshake is made of: a Diffie-Hellman function, a cipher and a hash, in the roles
 * that the Noise specification (revision 34, section 4) gives them. Two implementations stand
 * behind these interfaces; property tests hold one against the other.
 *
 * @module
 */

/** Bytes of a cipher key, whichever the cipher. */
export const KEY_BYTES = 32;
/** Bytes of the authentication tag that a sealed message ends with. */
export const TAG_BYTES = 16;
/** Bytes of what the ciphers are given as nonce. */
export const NONCE_BYTES = 12;

/** A key pair; its private half stays inside. */
export interface KeyPair {
  /** Raw little-endian bytes: 32 of X25519, 56 of X448. */
  readonly publicKey: Uint8Array;
  /**
   * The secret shared with the owner of `publicKey`, as long as a key.
   *
   * @throws {RatholeError} `untrusted` for a public key with which the result is zero whatever the
   * private key (Noise leaves it to us, section 12.1; snow, in 0.5.0, goes on).
   */
  agree(publicKey: Uint8Array): Uint8Array;
}

/** A Diffie-Hellman function (RFC 7748). */
export interface DiffieHellman {
  /** Bytes of a private key, of a public one and of a shared secret: 32 or 56. */
  readonly keyBytes: number;
  /** A fresh key pair. */
  generate(): KeyPair;
  /** The key pair of a private key's raw bytes. */
  keyPair(privateKey: Uint8Array): KeyPair;
}

/** A cipher with a key in it. Nonces are {@linkcode NONCE_BYTES} long. */
export interface KeyedCipher {
  /** Writes ciphertext and tag, 16 bytes more than `plaintext`, to `out` from `at` on. */
  seal(
    nonce: Uint8Array,
    ad: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
  ): void;
  /**
   * The plaintext of ciphertext and tag, at least 16 bytes, in an array of its own.
   *
   * @throws {Error} when anything of it is not as it was sealed. Nothing is said about why.
   */
  open(nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array;
}

/** An AEAD cipher. */
export interface Cipher {
  /** Whether the counter in the nonce is little-endian (ChaChaPoly) or big-endian (AESGCM). */
  readonly littleEndian: boolean;
  /** The cipher with this key, {@linkcode KEY_BYTES} long. */
  keyed(key: Uint8Array): KeyedCipher;
}

/** A hash function, alone and in HMAC (RFC 2104). */
export interface Hash {
  /** Bytes of a digest: 32 or 64. */
  readonly length: number;
  /** The digest of the parts, one behind the other. */
  digest(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC with this hash over the parts, one behind the other. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
}

/** The functions that a protocol name asks for, by the names that Noise has for them. */
export interface SuiteName {
  /** `25519` or `448`. */
  readonly dh: string;
  /** `ChaChaPoly` or `AESGCM`. */
  readonly cipher: string;
  /** `SHA256`, `SHA512`, `BLAKE2s` or `BLAKE2b`. */
  readonly hash: string;
}

/** The three functions of one protocol. */
export interface Suite {
  /** Key agreement. */
  readonly dh: DiffieHellman;
  /** Authenticated encryption. */
  readonly cipher: Cipher;
  /** Hashing. */
  readonly hash: Hash;
}

/** One implementation of all functions; undefined for those that it lacks here. */
export interface Provider {
  /** The Diffie-Hellman function of this name. */
  dh(name: string): DiffieHellman | undefined;
  /** The cipher of this name. */
  cipher(name: string): Cipher | undefined;
  /** The hash of this name. */
  hash(name: string): Hash | undefined;
}
