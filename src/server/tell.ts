/**
 * Telling a client what a data channel is for.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { DataChannel } from "./pool.ts";

/** Milliseconds that it may take: longer, and nobody reads there. */
const TIMEOUT = 10_000;

/** What telling needs. */
export interface TellOptions {
  /** Times it. */
  readonly clock: Clock;
  /** Ends it. */
  readonly scope: Scope;
  /** `TCP_NODELAY` of the channel. */
  readonly nodelay: boolean;
}

/** Writes a command. Where that fails, the channel is closed and released. @throws {RatholeError} */
export async function tell(
  { connection, release }: DataChannel,
  command: Uint8Array,
  { clock, nodelay, scope }: TellOptions,
): Promise<void> {
  const forget = scope.onAbort((reason) => connection.abort(reason));
  const deadline = clock.after(TIMEOUT, () => {
    connection.abort(new RatholeError("timeout", "a data channel takes no command"));
  });
  try {
    connection.setNoDelay(nodelay);
    await connection.write(command);
  } catch (error) {
    connection.abort(error);
    release();
    throw error;
  } finally {
    deadline.cancel();
    forget();
  }
}
