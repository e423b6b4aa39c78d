/**
 * From started to stopped: signals, draining, the end.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Io, Running, StopSignal } from "./io.ts";

/** How long a server or client that was told to end at once may take for it. */
const END_MS = 1000;

const logger = getLogger(["rathole"]);

/** What running needs of the outside. */
export type ServeIo = Pick<Io, "onSignal" | "crashed" | "clock" | "interactive">;

/** What is served. */
export interface Serving {
  /** Starts it. */
  start(signal: AbortSignal): Promise<Running>;
  /** Reads the configuration again. */
  reload(): void;
  /** How long open connections may take to finish, in seconds, as of now. */
  drainSeconds(): number;
}

/**
 * Runs until a signal stops it or it ends by itself; rejects with why, if that was a failure.
 *
 * The first signal drains, the second ends at once. SIGHUP is how a closing terminal says good-bye
 * and stops the program there; everywhere else (services, nohup) it means "read your configuration
 * again", so it must not end the tunnel.
 */
export async function serve(serving: Serving, io: ServeIo): Promise<void> {
  using stop = watchSignals(serving, io);
  const abort = new AbortController();
  const starting = serving.start(abort.signal);
  const running = await Promise.race([starting, io.crashed, stop.first.then(() => undefined)]);
  if (running === undefined) {
    abort.abort(new RatholeError("aborted", "stopped by a signal"));
    await waitAtMost(END_MS, endOf(starting), io);
    return;
  }
  try {
    const signal = await Promise.race([running.closed, io.crashed, stop.first]);
    if (signal === undefined) return;
    logger.info("Shutting down, open connections may finish; signal again to end them now", {
      signal,
      drain_timeout: `${serving.drainSeconds()}s`,
    });
    const drained = running.drain().then(() => undefined, warnOfDrain);
    const again = await Promise.race([drained, io.crashed, stop.second]);
    if (again !== undefined) logger.warn("Ending open connections", { signal: again });
  } finally {
    await waitAtMost(END_MS, running[Symbol.asyncDispose](), io);
  }
}

interface StopRequests extends Disposable {
  readonly first: Promise<StopSignal>;
  readonly second: Promise<StopSignal>;
}

function watchSignals(
  { reload }: Pick<Serving, "reload">,
  io: Pick<Io, "onSignal" | "interactive">,
): StopRequests {
  const first = Promise.withResolvers<StopSignal>();
  const second = Promise.withResolvers<StopSignal>();
  let next = first;
  const listening = io.onSignal((signal) => {
    if (signal === "SIGHUP" && !io.interactive) return reload();
    next.resolve(signal);
    next = second;
  });
  return {
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

/** Ends what may have started although it was told not to; that it did not start is expected. */
async function endOf(starting: Promise<Running>): Promise<void> {
  const running = await starting.catch(() => undefined);
  await running?.[Symbol.asyncDispose]();
}

function warnOfDrain(error: unknown): undefined {
  logger.warn("Some connections did not end well", { error: explain(error) });
}

/** Gives up waiting after `ms`: the process ends anyway. */
async function waitAtMost(
  ms: number,
  work: PromiseLike<void>,
  io: Pick<Io, "clock">,
): Promise<void> {
  const late = Promise.withResolvers<"late">();
  using _deadline = io.clock.after(ms, () => late.resolve("late"));
  if (await Promise.race([work, late.promise]) === "late") {
    logger.warn("Something did not stop in time, the process ends without it");
  }
}
