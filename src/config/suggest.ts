/**
 * Guesses what a misspelt word was meant to be.
 *
 * @module
 */

import { distance } from "fastest-levenshtein";

/** The most characters compared: longer input is no misspelling of ours, and comparing it costs. */
const LONGEST_WORD = 64;

/**
 * The known word a text was probably meant to be, or undefined when none is close enough.
 *
 * Case and the choice between `_`, `-` and nothing do not count (`localAddr` is `local_addr`).
 * Otherwise a third of the longer word's characters may differ, and at least one.
 */
export function nearest(text: string, words: Iterable<string>): string | undefined {
  if (text.length > LONGEST_WORD) return undefined;
  const bare = strip(text);
  let best: { word: string; cost: number } | undefined;
  for (const word of words) {
    const cost = distance(bare, strip(word));
    const most = Math.max(1, Math.floor(Math.max(bare.length, word.length) / 3));
    if (cost <= most && cost < Math.min(bare.length, word.length) && (!best || cost < best.cost)) {
      best = { word, cost };
    }
  }
  return best?.word;
}

function strip(word: string): string {
  return word.toLowerCase().replaceAll(/[_\s-]/g, "");
}
