/**
 * Waiting for what the event loop has yet to do, instead of for time to pass.
 *
 * @module
 */

/** Turns after which a condition is taken never to come about. */
const MOST_TURNS = 5_000;

/** Lets the event loop run once: everything that is ready by now happens before it resolves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Resolves once the condition holds. @throws {Error} naming what never came about. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < MOST_TURNS; i++) {
    if (condition()) return;
    await turn();
  }
  throw new Error(`never came about: ${what}`);
}

/** Resolves once the value has stayed the same for so many turns; returns it. */
export async function untilStable(value: () => number, turns = 40): Promise<number> {
  let last = value();
  for (let same = 0; same < turns;) {
    await turn();
    const now = value();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** What a promise has come to so far, without waiting for it. */
export type Progress<T> =
  | { readonly state: "pending" }
  | { readonly state: "fulfilled"; readonly value: T }
  | { readonly state: "rejected"; readonly reason: unknown };

/** Follows a promise; it counts as handled. */
export function follow<T>(promise: Promise<T>): () => Progress<T> {
  let progress: Progress<T> = { state: "pending" };
  promise.then(
    (value) => progress = { state: "fulfilled", value },
    (reason: unknown) => progress = { state: "rejected", reason },
  );
  return () => progress;
}
