/**
 * Noise protocol names, such as `Noise_NK_25519_ChaChaPoly_BLAKE2s`.
 *
 * @module
 */

import { nearest } from "./suggest.ts";

/** The parts of a Noise protocol name that this program can run. */
export interface NoiseName {
  /** Handshake pattern, one of the 12 interactive or 23 deferred fundamental ones. */
  readonly pattern: string;
  /** Diffie-Hellman function: `25519` or `448`. */
  readonly dh: string;
  /** Cipher: `ChaChaPoly` or `AESGCM`. */
  readonly cipher: string;
  /** Hash: `SHA256`, `SHA512`, `BLAKE2s` or `BLAKE2b`. */
  readonly hash: string;
}

/** The handshake patterns that carry a tunnel. */
export const NOISE_PATTERNS: readonly string[] = [
  ...["NN", "NK", "NX", "KN", "KK", "KX", "XN", "XK", "XX", "IN", "IK", "IX"],
  ...["NK1", "NX1", "X1N", "X1K", "XK1", "X1K1", "X1X", "XX1", "X1X1"],
  ...["K1N", "K1K", "KK1", "K1K1", "K1X", "KX1", "K1X1"],
  ...["I1N", "I1K", "IK1", "I1K1", "I1X", "IX1", "I1X1"],
];

const DH = ["25519", "448"];
const CIPHERS = ["ChaChaPoly", "AESGCM"];
const HASHES = ["SHA256", "SHA512", "BLAKE2s", "BLAKE2b"];

/** The parts of a protocol name; or a sentence, `what is wrong; what to write`. */
export function parseNoiseName(text: string): NoiseName | string {
  const parts = text.split("_");
  const [noise, pattern = "", dh = "", cipher = "", hash = ""] = parts;
  if (noise !== "Noise" || parts.length !== 5) {
    return "is not a Noise protocol name; write Noise_PATTERN_DH_CIPHER_HASH such as " +
      "Noise_NK_25519_ChaChaPoly_BLAKE2s";
  }
  return patternProblem(pattern) ?? unknownPart("Diffie-Hellman function", dh, DH) ??
    unknownPart("cipher", cipher, CIPHERS) ?? unknownPart("hash", hash, HASHES) ??
    { pattern, dh, cipher, hash };
}

/** Bytes of a key of the Diffie-Hellman function. */
export function noiseKeyBytes(name: NoiseName): number {
  return name.dh === "448" ? 56 : 32;
}

/**
 * What a pattern does with an end's static key: nothing (`none`, that end stays anonymous), expect
 * the other end to have it beforehand (`known`), or send it in the handshake (`sent`). The letters
 * of the pattern say so: N; K; X and I. The client is the initiator, whose letter comes first.
 */
export function keyRole(
  name: NoiseName,
  side: "server" | "client",
): "none" | "known" | "sent" {
  const [, initiator, responder] = /^([A-Z]1?)([A-Z]1?)$/.exec(name.pattern) ?? [];
  const letter = (side === "client" ? initiator : responder)?.charAt(0);
  return letter === "K" ? "known" : letter === "X" || letter === "I" ? "sent" : "none";
}

/** Why text is not a key, `what is wrong; what to write`; undefined when it is one. */
export function keyProblem(text: string, bytes: number): string | undefined {
  const help = `write ${bytes} bytes in standard base64, as rathole --genkey prints them`;
  if (/^[\w-]*[_-][\w-]*=*$/.test(text)) return `is in the URL form of base64; ${help}`;
  if (!/^[A-Za-z\d+/]*={0,2}$/.test(text)) return `is not base64; ${help}`;
  const digits = text.replace(/=+$/, "").length;
  // None at all is fine: 0.5.0 takes it so.
  if (digits < text.length && text.length % 4 !== 0) {
    return `ends in the wrong number of =; ${help}`;
  }
  const length = Math.floor(digits * 3 / 4);
  if (digits % 4 === 1) return `is cut off; ${help}`;
  return length === bytes ? undefined : `is ${length} bytes long; ${help}`;
}

function patternProblem(pattern: string): string | undefined {
  if (NOISE_PATTERNS.includes(pattern)) return undefined;
  if (/^[NKX]$/.test(pattern)) {
    return `names the one-way pattern ${pattern}, in which the server could never answer; write ` +
      "an interactive one such as NK";
  }
  if (/psk\d/.test(pattern)) {
    return "asks for a pre-shared key, which the configuration has no key for; leave the psk " +
      "modifier out";
  }
  return unknownPart("handshake pattern", pattern, NOISE_PATTERNS);
}

function unknownPart(what: string, text: string, known: readonly string[]): string | undefined {
  if (known.includes(text)) return undefined;
  const guess = nearest(text, known);
  const help = known.length > 4 && guess === undefined
    ? "write one such as NK, XX or KK"
    : guess === undefined
    ? `known are ${known.join(", ")}`
    : `did you mean ${guess}?`;
  return `names no ${what} of Noise that is known here; ${help}`;
}
