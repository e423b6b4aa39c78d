/**
 * The accept loop, in the one form that neither a peer nor a lack of descriptors can stop.
 *
 * @module
 */

import { type Clock, sleep } from "../runtime/clock.ts";
import { systemCode } from "../runtime/errors.ts";

/** Milliseconds to leave the system alone after it failed to give a connection. */
const PAUSE = 50;

/** What can be accepted. */
export interface Accepted {
  /** Ends it. */
  abort(reason?: unknown): void;
}

/** Where connections come from. `accept` never waits for a peer to say something. */
export interface Acceptor<T extends Accepted> {
  /** The next connection; rejects with `aborted` in the signal's sense when closed. */
  accept(): Promise<T>;
}

/** What says that a peer was gone again, as Deno or the system names it, before it was accepted. */
const GONE: ReadonlySet<string | undefined> = new Set([
  ...["NotConnected", "ConnectionAborted", "ConnectionReset"],
  ...["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPROTO"],
]);

/** Whether the next connection is not to wait for this one: a pause for each would be a weapon. */
function isPeersDoing(error: unknown): boolean {
  return GONE.has(systemCode(error)) || error instanceof Error && GONE.has(error.name);
}

/** Accepts until the signal is aborted. */
export interface AcceptLoop<T extends Accepted> {
  /** Where from. Closing it must go along with aborting the signal. */
  readonly from: Acceptor<T>;
  /** Pauses after failures. */
  readonly clock: Clock;
  /** Takes a connection over; must return at once and not throw. */
  take(connection: T): void;
  /** Hears of the first failure of a series, which is most often a lack of descriptors. */
  trouble(error: unknown): void;
  /** Hears each time that this process has no descriptors left: what it closes is there next time. */
  exhausted(): void;
  /** Hears that connections are accepted again. */
  relief(): void;
}

/** Runs an {@linkcode AcceptLoop}; resolves when its signal is aborted, never rejects. */
export async function acceptAll<T extends Accepted>(
  loop: AcceptLoop<T>,
  signal: AbortSignal,
): Promise<void> {
  let troubled = false;
  while (!signal.aborted) {
    try {
      const connection = await loop.from.accept();
      // Whoever would own it may be gone by now.
      if (signal.aborted) return connection.abort(signal.reason);
      loop.take(connection);
      if (troubled) loop.relief();
      troubled = false;
    } catch (error) {
      if (signal.aborted) return;
      if (isPeersDoing(error)) continue;
      // Not where the whole system has none: others would take what this process lets go of.
      if (systemCode(error) === "EMFILE") loop.exhausted();
      if (!troubled) loop.trouble(error);
      troubled = true;
      await sleep(loop.clock, PAUSE, signal);
    }
  }
}
