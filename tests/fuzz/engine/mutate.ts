/**
 * Inputs that are nearly others.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** Where sizes, counts and signs go wrong. */
const NUMBERS = [
  ...[0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 24, 31, 32, 64, 100, 125, 126, 127, 128, 255, 256, 257],
  ...[1023, 1024, 1025, 4095, 4096, 32_767, 32_768, 65_519, 65_535, 65_536, 0xff_ffff, 0x100_0000],
  ...[0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff],
];

/** What mutations draw on. */
export interface Material {
  /** Other inputs, to take pieces of. */
  readonly corpus: readonly Uint8Array[];
  readonly tokens: readonly Uint8Array[];
  /** The longest result. */
  readonly longest: number;
}

type Mutation = (input: Uint8Array, random: Random, material: Material) => Uint8Array;

/** Some mutations in a row: mostly few, sometimes many. */
export function mutate(input: Uint8Array, random: Random, material: Material): Uint8Array {
  let result = input;
  for (let rounds = 1 << random.below(4); rounds > 0; rounds--) {
    result = random.pick(MUTATIONS)(result, random, material);
  }
  return result.length > material.longest ? result.subarray(0, material.longest) : result;
}

/** Replaces `removed` bytes at `at` by others. */
export function spliced(
  input: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array {
  const rest = input.subarray(at + removed);
  const result = new Uint8Array(at + inserted.length + rest.length);
  result.set(input.subarray(0, at));
  result.set(inserted, at);
  result.set(rest, at + inserted.length);
  return result;
}

const flipBit: Mutation = (input, random) => {
  const result = input.slice();
  const at = random.below(result.length);
  if (at in result) result[at] = (result[at] ?? 0) ^ 1 << random.below(8);
  return result;
};

const setByte: Mutation = (input, random) => {
  const result = input.slice();
  const at = random.below(result.length);
  if (at in result) result[at] = random.next();
  return result;
};

const addToByte: Mutation = (input, random) => {
  const result = input.slice();
  const at = random.below(result.length);
  if (at in result) result[at] = (result[at] ?? 0) + random.below(33) - 16;
  return result;
};

/** A number of 1, 2, 4 or 8 bytes in either order, over what is there or in between. */
const putNumber: Mutation = (input, random) => {
  const bytes = new Uint8Array(1 << random.below(4));
  let left = random.pick(NUMBERS) + (random.oneIn(4) ? random.below(5) - 2 : 0);
  const littleEndian = random.oneIn(2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[littleEndian ? i : bytes.length - 1 - i] = left;
    left = Math.floor(left / 256);
  }
  const removed = random.oneIn(3) ? 0 : bytes.length;
  return spliced(input, random.below(input.length + 1), removed, bytes);
};

/** The length of what follows, or nearly so, in two bytes: fields of lengths that fit. */
const putLength: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  const length = Math.max(0, input.length - at - 2 + random.below(5) - 2);
  const bytes = random.oneIn(2)
    ? Uint8Array.of(length, length >> 8)
    : Uint8Array.of(length >> 8, length);
  return spliced(input, at, random.oneIn(2) ? 2 : 0, bytes);
};

const insertBytes: Mutation = (input, random) => {
  const bytes = new Uint8Array(1 + random.below(random.oneIn(8) ? 256 : 8));
  const same = random.oneIn(2) ? random.next() : undefined;
  for (let i = 0; i < bytes.length; i++) bytes[i] = same ?? random.next();
  return spliced(input, random.below(input.length + 1), 0, bytes);
};

const removeBytes: Mutation = (input, random) => {
  const at = random.below(input.length);
  const most = random.oneIn(4) ? input.length - at : Math.min(8, input.length - at);
  return spliced(input, at, 1 + random.below(most), new Uint8Array(0));
};

const repeatBytes: Mutation = (input, random, { longest }) => {
  const from = random.below(input.length);
  const part = input.subarray(from, from + 1 + random.below(random.oneIn(4) ? input.length : 16));
  let repeated = part;
  const times = random.oneIn(6) ? random.below(100) : random.below(3);
  for (let i = 0; i < times && repeated.length < longest; i++) {
    repeated = spliced(repeated, repeated.length, 0, part);
  }
  return spliced(input, random.below(input.length + 1), 0, repeated);
};

const moveBytes: Mutation = (input, random) => {
  const from = random.below(input.length);
  const part = input.slice(from, from + 1 + random.below(16));
  const without = spliced(input, from, part.length, new Uint8Array(0));
  return spliced(without, random.below(without.length + 1), 0, part);
};

const putToken: Mutation = (input, random, { tokens }) => {
  if (tokens.length === 0) return setByte(input, random, { corpus: [], tokens, longest: 0 });
  const token = random.pick(tokens);
  const removed = random.oneIn(2) ? 0 : random.below(token.length + 4);
  return spliced(input, random.below(input.length + 1), removed, token);
};

const cross: Mutation = (input, random, { corpus }) => {
  const other = random.pick(corpus);
  const from = random.below(other.length);
  const part = other.subarray(from, from + 1 + random.below(other.length));
  const removed = random.oneIn(2) ? input.length : random.below(part.length + 1);
  return spliced(input, random.below(input.length + 1), removed, part);
};

/** Those that change a number or a word come more often. */
const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  addToByte,
  putNumber,
  putNumber,
  putLength,
  insertBytes,
  removeBytes,
  removeBytes,
  repeatBytes,
  moveBytes,
  putToken,
  putToken,
  cross,
];
