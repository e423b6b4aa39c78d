/**
 * Waiting with an end, so that a test that would hang fails and says for what it waited.
 *
 * @module
 */

/** Milliseconds that anything may take which takes a fraction of a second on an idle machine. */
export const PATIENCE = 15_000;

/** The promise, or a failure after `ms`. What is lost must be cleaned up by who called. */
export async function soon<T>(what: string, promise: PromiseLike<T>, ms = PATIENCE): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Looks at something again and again until it is as it should be: for what has no event, such as
 * a counter. Fails with what was seen last.
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  good: (seen: T) => boolean,
  ms = PATIENCE,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (good(seen)) return seen;
    if (performance.now() > end) {
      throw new Error(`waited ${ms} ms for ${what}; last seen: ${Deno.inspect(seen)}`);
    }
    await pause(5);
  }
}

/** Lets time pass where time itself is what is tested. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
