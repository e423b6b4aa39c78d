/**
 * How a server or a client runs, drains and ends.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { explain, RatholeError } from "./errors.ts";
import { Scope } from "./scope.ts";

/** Whether a server or client takes anything new. */
export type LifecycleState = "running" | "draining" | "stopped";

/** How to start a server or client. */
export interface StartOptions {
  /**
   * Ends it at once when aborted. When aborted before it has started, starting rejects with a
   * `RatholeError` of code `aborted`.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Throws `aborted`, with the signal's reason as the cause, if it is. @throws {RatholeError} */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new RatholeError("aborted", "starting was aborted", { cause: signal.reason });
}

/** What a lifecycle tells its owner. */
export interface LifecycleOptions {
  /** `server` or `client`, for messages. */
  readonly what: string;
  /** Times the drain. */
  readonly clock: Clock;
  /** Milliseconds that open streams may take to finish. */
  drainTimeout(): number;
  /** Nothing new is taken from now on; so many streams are open. */
  draining(streams: number): void;
  /** Everything has ended. */
  stopped(): void;
  /** An error in this program ended a task. */
  fault(reason: string): void;
}

/**
 * Two scopes under one root: the intake, which brings in what is new and goes first, and the
 * streams, which may finish.
 */
export class Lifecycle {
  /** Owns everything that brings in something new. */
  readonly intake: Scope;
  /** Owns what visitors have under way. */
  readonly streams: Scope;
  readonly #root: Scope;
  readonly #options: LifecycleOptions;
  #state: LifecycleState = "running";
  /** Settles when no update is under way. */
  #updated: Promise<void> = Promise.resolve();

  /** A running one. */
  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#root = new Scope((error) => {
      options.fault(error instanceof Error ? error.stack ?? error.message : explain(error));
    });
    this.intake = this.#root.child();
    this.streams = this.#root.child();
  }

  /** Whether anything new is taken. */
  get state(): LifecycleState {
    return this.#state;
  }

  /** Has the signal end everything at once. */
  endWith(signal: AbortSignal): void {
    // Joining cannot fail: what escapes a task has gone to `fault`.
    const stop = () => void this.end();
    signal.addEventListener("abort", stop);
    this.#root.onAbort(() => signal.removeEventListener("abort", stop));
    if (signal.aborted) stop();
  }

  /** Runs updates one after the other; rejects as the update does. */
  update(update: () => Promise<void>): Promise<void> {
    const updating = this.#updated.then(update);
    this.#updated = updating.catch(() => {});
    return updating;
  }

  /** For an update, whenever it has waited. @throws {RatholeError} `aborted` once the end has begun */
  requireRunning(): void {
    // It is left first, however this ends.
    if (!this.intake.aborted) return;
    const now = this.#state === "running" ? "stopping" : this.#state;
    throw new RatholeError("aborted", `the ${this.#options.what} is ${now}: nothing to update`);
  }

  /** Leaves the intake, gives the streams their time, then ends. Called again, it ends at once. */
  async drain(): Promise<void> {
    if (this.#state === "running") {
      this.#state = "draining";
      const { clock, what } = this.#options;
      this.intake.abort(new RatholeError("aborted", `the ${what} is stopping`));
      this.#options.draining(this.streams.size);
      const { promise: timeout, resolve } = Promise.withResolvers<void>();
      using _deadline = clock.after(this.#options.drainTimeout(), resolve);
      const forget = this.#root.onAbort(() => resolve());
      await Promise.race([this.streams.join(), timeout]);
      forget();
    }
    await this.end();
  }

  /** Ends everything and waits until it has. */
  async end(): Promise<void> {
    this.#root.abort(new RatholeError("aborted", `the ${this.#options.what} was stopped`));
    await Promise.all([this.intake.join(), this.streams.join()]);
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#options.stopped();
  }
}
