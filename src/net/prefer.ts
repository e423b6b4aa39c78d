/**
 * Trying one address of a host before the others.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";

/** Milliseconds that the preferred address has: a route that leads nowhere gives no answer at all. */
const PREFERRED_TIMEOUT = 2_000;

/** Opens something, until its signal is aborted. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

/**
 * What the preferred attempt gives; what the other gives, where the preferred one fails or takes
 * more than two seconds.
 *
 * @throws whatever the other attempt throws; the signal's reason when it is aborted.
 */
export async function preferring<T>(
  preferred: Attempt<T>,
  other: Attempt<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", abort);
  using _deadline = clock.after(PREFERRED_TIMEOUT, () => {
    controller.abort(new RatholeError("timeout", "the preferred address did not answer"));
  });
  try {
    return await preferred(controller.signal);
  } catch {
    // The family that was preferred may be the one that does not work.
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return await other(signal);
}
