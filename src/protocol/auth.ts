/**
 * How a client proves that it knows a service's token, and how two of ours recognise each other.
 *
 * @module
 */

import { DIGEST_LENGTH } from "./messages.ts";

const MARK_LABEL = new TextEncoder().encode("rathole-deno 1");
const RANDOM_LENGTH = 24;

/** SHA-256 of the service's name in UTF-8: what a client asks for by. */
export function serviceDigest(name: string): Promise<Uint8Array> {
  return sha256(new TextEncoder().encode(name));
}

/** SHA-256 of the token's UTF-8 bytes followed by the server's nonce: proof and session key. */
export function sessionKey(token: string, nonce: Uint8Array): Promise<Uint8Array> {
  return sha256(concat(new TextEncoder().encode(token), nonce));
}

/**
 * 32 bytes for one handshake: 24 random ones and 8 that mark this program. A stock client hashes
 * them like any others; one of ours sees the mark and knows that it may say what it can do.
 */
export async function createNonce(): Promise<Uint8Array> {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH));
  return concat(random, await mark(random));
}

/** Whether a nonce came from this program. A stock server's looks so once in 2^64. */
export async function isMarked(nonce: Uint8Array): Promise<boolean> {
  const expected = await mark(nonce.subarray(0, RANDOM_LENGTH));
  return equalDigests(nonce.subarray(RANDOM_LENGTH), expected);
}

/** Compares in a time that depends on the length only. */
export function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

async function mark(random: Uint8Array): Promise<Uint8Array> {
  const digest = await sha256(concat(MARK_LABEL, random));
  return digest.subarray(0, DIGEST_LENGTH - RANDOM_LENGTH);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
