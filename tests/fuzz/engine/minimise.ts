/**
 * Smaller inputs that do the same.
 *
 * @module
 */

import { spliced } from "./mutate.ts";

/** Tries for one input. */
const MOST_TRIES = 100;

/** Cuts pieces off, large ones first, as long as the rest does the same. */
export async function minimise(
  input: Uint8Array,
  same: (smaller: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest = input;
  let tries = 0;
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && tries < MOST_TRIES;) {
      tries++;
      const smaller = spliced(smallest, at, size, new Uint8Array(0));
      if (await same(smaller)) smallest = smaller;
      else at += size;
    }
  }
  return smallest;
}
