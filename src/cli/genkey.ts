/**
 * Key pairs for the noise transport.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import type { Curve } from "./arguments.ts";

/** A key pair as Noise uses it: the raw little-endian bytes, 32 each for X25519, 56 for X448. */
export interface KeyPair {
  /** To stay on the machine it was made for. */
  readonly privateKey: Uint8Array<ArrayBuffer>;
  /** For the other end's configuration. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** Makes a fresh key pair. */
export async function generateKeyPair(curve: Curve): Promise<KeyPair> {
  const jwk = curve === "x25519" ? await x25519() : await x448();
  if (jwk.d === undefined || jwk.x === undefined) {
    throw new RatholeError("unsupported", `this runtime cannot export ${curve} keys`);
  }
  return {
    privateKey: Uint8Array.fromBase64(jwk.d, { alphabet: "base64url" }),
    publicKey: Uint8Array.fromBase64(jwk.x, { alphabet: "base64url" }),
  };
}

/** The text that rathole 0.5.0 prints; scripts cut the keys out of it by line number. */
export function formatKeyPair({ privateKey, publicKey }: KeyPair): string {
  return `Private Key:\n${privateKey.toBase64()}\n\nPublic Key:\n${publicKey.toBase64()}\n`;
}

/** The two halves of an exported key, in base64url. */
interface ExportedKey {
  readonly d?: string | undefined;
  readonly x?: string | undefined;
}

async function x25519(): Promise<ExportedKey> {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
  if (!("privateKey" in pair)) throw new RatholeError("unsupported", "no X25519 key pair was made");
  return await crypto.subtle.exportKey("jwk", pair.privateKey);
}

/** WebCrypto has no X448; node:crypto costs 10 MB to load, so only those who ask for it pay. */
async function x448(): Promise<ExportedKey> {
  const { generateKeyPairSync } = await import("node:crypto");
  try {
    return generateKeyPairSync("x448").privateKey.export({ format: "jwk" });
  } catch (cause) {
    throw new RatholeError("unsupported", "this version of Deno cannot make x448 keys", { cause });
  }
}
