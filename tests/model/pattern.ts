/**
 * Bytes that tell to which stream and direction they belong, and where.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Side } from "./wire.ts";

/** The most bytes of one direction of a stream. */
export const MOST_BYTES = 512 * 1024;
/** Streams that have bytes of their own. */
export const MOST_STREAMS = 4;

const ALL = makeAll();

function makeAll(): Uint8Array {
  const words = new Uint32Array(2 * MOST_STREAMS * MOST_BYTES / 4);
  let state = 0x1234_5678;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

/** Bytes that an end of a stream writes, from a position on. */
export function pattern(stream: number, side: Side, at: number, length: number): Uint8Array {
  const start = (2 * stream + side) * MOST_BYTES + at;
  return ALL.subarray(start, start + length);
}

/** Whether bytes are those that an end of a stream writes from a position on. */
export function matches(bytes: Uint8Array, stream: number, side: Side, at: number): boolean {
  return Buffer.compare(bytes, pattern(stream, side, at, bytes.length)) === 0;
}

/** Where bytes come from, for people. */
export function describeOrigin(bytes: Uint8Array): string {
  const first = bytes.subarray(0, 8);
  const at = first.length < 4 ? -1 : Buffer.from(ALL.buffer).indexOf(first);
  if (at < 0) return `[${first.join(" ")} …]`;
  const index = Math.floor(at / MOST_BYTES);
  return `stream ${index >> 1}, written by the ${index % 2 === 0 ? "server" : "client"}, ` +
    `position ${at % MOST_BYTES}`;
}
