/**
 * Waits with an end.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { RatholeError } from "./errors.ts";
import type { Scope } from "./scope.ts";

/** What bounds an attempt. */
export interface Bounds {
  /** Times it. */
  readonly clock: Clock;
  /** Ends it when left. */
  readonly scope: Scope;
  /** Milliseconds it may take. */
  readonly timeout: number;
  /** What did not happen in time, as in `"connecting to 192.0.2.1:2333"`. */
  readonly what: string;
}

/**
 * Runs an attempt whose signal is aborted after a time, or when a scope is left.
 *
 * @throws {RatholeError} whatever the attempt throws; its signal's reason is `timeout` or the
 * scope's.
 */
export async function within<T>(
  bounds: Bounds,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forget = bounds.scope.onAbort((reason) => controller.abort(reason));
  const deadline = bounds.clock.after(bounds.timeout, () => {
    const message = `${bounds.what} took more than ${Math.round(bounds.timeout) / 1000} s`;
    controller.abort(new RatholeError("timeout", message));
  });
  try {
    return await attempt(controller.signal);
  } finally {
    deadline.cancel();
    forget();
  }
}
