/**
 * Bytes in one piece and in many.
 *
 * @module
 */

import { hashBytes, Random } from "./random.ts";

/** The bytes as copies of pieces, always the same ones for the same bytes. */
export function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const random = new Random(hashBytes(bytes));
  const most = random.pick([1, 2, 5, 16, 100, 1000]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(most);
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}

/** All of them, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether both are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
