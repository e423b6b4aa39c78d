/**
 * Chance that can be repeated: the same seed gives the same numbers.
 *
 * @module
 */

/** A stream of numbers from a seed (the mixer is SplitMix32, short and good enough here). */
export class Random {
  #state: number;

  /** A text seeds as well as a number. */
  constructor(seed: number | string) {
    this.#state = typeof seed === "number" ? seed >>> 0 : hashText(seed);
  }

  /** The next 32 bits. */
  next(): number {
    this.#state = this.#state + 0x9e3779b9 | 0;
    let mixed = this.#state ^ this.#state >>> 16;
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ mixed >>> 15) >>> 0;
  }

  /** A whole number from 0 to `end - 1`; 0 where there is no other. */
  below(end: number): number {
    return end <= 1 ? 0 : this.next() % end;
  }

  /** Whether something that happens once in so many times happens now. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of a list that has some. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }
}

/** 32 bits of some bytes (FNV-1a). */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function hashText(text: string): number {
  return hashBytes(new TextEncoder().encode(text));
}
