/**
 * Keeps a server or client to a configuration that changes. Nothing else starts or changes one.
 *
 * @module
 */

import { differenceOf, isSame, type Side } from "./config/difference.ts";
import { Backoff } from "./runtime/backoff.ts";
import type { Clock } from "./runtime/clock.ts";
import { explain, isRetriable, RatholeError } from "./runtime/errors.ts";
import { Scope } from "./runtime/scope.ts";

/** The most milliseconds between two attempts to apply a configuration that was refused. */
const LONGEST_RETRY = 60_000;

/** What it asks of a server or client. Disposing ends it at once. */
export interface Instance<C> extends AsyncDisposable {
  /** Settles when it has ended; rejects when it ended for a reason of its own. */
  readonly closed: Promise<void>;
  /** Applies a changed configuration; when it rejects, everything is as before. */
  update(config: C): Promise<void>;
  /** Takes nothing new, lets what is open finish, then ends. */
  drain(): Promise<void>;
}

/** Starts a server or client; the signal ends it. */
export type Start<C> = (config: C, options: { signal: AbortSignal }) => Promise<Instance<C>>;

/** What the configuration has become: usable, or why it is not. */
export type Revision<C> = {
  /** Whether somebody asked for it (SIGHUP) and expects an answer, even if nothing changed. */
  readonly asked: boolean;
} & ({ readonly config: C } | { readonly error: unknown });

/**
 * Where configurations come from. It is asked for the next one when the last is done with, so it
 * holds one at most, the latest.
 */
export interface Revisions<C> {
  /** The next one; undefined when there will be no more. Never rejects. */
  next(): Promise<Revision<C> | undefined>;
}

/** Who is told what became of each configuration. Must not throw. */
export interface SupervisorReport<C> {
  /** It is in use. */
  applied(config: C): void;
  /** It says what is in use already; `again`: what came before it was refused. */
  unchanged(about: { readonly asked: boolean; readonly again: boolean }): void;
  /**
   * It is not used, the one from before is. With `retryIn`, in milliseconds, it will be tried again
   * without being changed; `known`: for the same reason as the last time.
   */
  refused(error: unknown, about: { readonly retryIn?: number; readonly known: boolean }): void;
}

/** How to supervise. */
export interface SupervisorOptions<C> {
  /** Starts what is supervised. */
  readonly start: Start<C>;
  /** Where changed configurations come from. */
  readonly revisions: Revisions<C>;
  /** Who is told. */
  readonly report: SupervisorReport<C>;
  /** Times the retries. */
  readonly clock: Clock;
  /** Ends what is supervised. */
  readonly signal: AbortSignal;
}

/**
 * Starts a server or client and applies every configuration that follows, until it drains or ends.
 * One that cannot be used changes nothing. One that the machine does not allow at present, such as
 * an address in use, is tried again until it succeeds or another one comes.
 *
 * @throws {RatholeError} what starting throws
 */
export async function supervise<C extends Side<object>>(
  first: C,
  options: SupervisorOptions<C>,
): Promise<Pick<Instance<C>, "closed" | "drain" | typeof Symbol.asyncDispose>> {
  const { start, signal } = options;
  const instance = await start(first, { signal });
  const fault = Promise.withResolvers<never>();
  const scope = new Scope(fault.reject);
  scope.run((signal) => new Supervisor(first, instance, options, signal).run());
  const closed = Promise.race([instance.closed, fault.promise]).finally(() => scope.abort());
  closed.catch(() => {}); // whoever wants to know awaits it
  return {
    closed,
    drain() {
      scope.abort();
      return instance.drain();
    },
    async [Symbol.asyncDispose]() {
      scope.abort();
      await instance[Symbol.asyncDispose](); // which ends an update that is under way
      await scope.join();
    },
  };
}

/** A configuration that is yet to be applied. */
interface Pending<C> {
  readonly config: C;
  readonly backoff: Backoff;
  readonly retryIn: number;
  readonly reason: string;
}

class Supervisor<C extends Side<object>> {
  readonly #instance: Instance<C>;
  readonly #options: SupervisorOptions<C>;
  readonly #signal: AbortSignal;
  /** What is in use. */
  #current: C;
  /** Whether the last revision was refused. */
  #refused = false;
  #pending: Pending<C> | undefined;
  /** What has arrived and is not taken yet; null when nothing will come any more. */
  #arrived: Revision<C> | null | undefined;
  #wake = () => {};

  constructor(
    first: C,
    instance: Instance<C>,
    options: SupervisorOptions<C>,
    signal: AbortSignal,
  ) {
    this.#current = first;
    this.#instance = instance;
    this.#options = options;
    this.#signal = signal;
  }

  /** Ends when the signal is aborted, or when there are no more revisions. */
  async run(): Promise<void> {
    const wake = () => this.#wake();
    this.#signal.addEventListener("abort", wake);
    try {
      this.#ask();
      while (!this.#signal.aborted) {
        const revision = await this.#next();
        if (revision === null) return;
        if (revision === undefined) {
          await this.#retry();
          continue;
        }
        await this.#take(revision);
        this.#ask();
      }
    } finally {
      this.#signal.removeEventListener("abort", wake);
    }
  }

  /** Asks for the next revision. */
  #ask(): void {
    void this.#options.revisions.next().then((revision) => {
      this.#arrived = revision ?? null;
      this.#wake();
    });
  }

  /** The next revision; undefined when it is time to retry; null when all is over. */
  async #next(): Promise<Revision<C> | null | undefined> {
    if (this.#arrived === undefined && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const retryIn = this.#pending?.retryIn;
      using _retry = retryIn === undefined
        ? undefined
        : this.#options.clock.after(retryIn, resolve);
      await promise;
    }
    if (this.#signal.aborted) return null;
    const arrived = this.#arrived;
    this.#arrived = undefined;
    return arrived;
  }

  async #take(revision: Revision<C>): Promise<void> {
    this.#pending = undefined;
    if ("error" in revision) {
      this.#refused = true;
      return this.#options.report.refused(revision.error, { known: false });
    }
    const { asked, config } = revision;
    if (isSame(differenceOf<object, C>(this.#current, config))) {
      this.#options.report.unchanged({ asked, again: this.#refused });
      this.#refused = false;
      return;
    }
    await this.#apply(config, new Backoff(LONGEST_RETRY));
  }

  async #retry(): Promise<void> {
    const pending = this.#pending;
    if (pending !== undefined) await this.#apply(pending.config, pending.backoff, pending.reason);
  }

  /** Puts a configuration in use, or remembers to try again; `before`: why it did not the last time. */
  async #apply(config: C, backoff: Backoff, before?: string): Promise<void> {
    try {
      await this.#instance.update(config);
    } catch (error) {
      if (this.#signal.aborted) return; // which is why
      this.#refused = true;
      const reason = explain(error);
      const known = reason === before;
      if (!mayComeRight(error)) {
        this.#pending = undefined;
        return this.#options.report.refused(error, { known });
      }
      const retryIn = backoff.next();
      this.#pending = { config, backoff, retryIn, reason };
      return this.#options.report.refused(error, { known, retryIn });
    }
    this.#current = config;
    this.#refused = false;
    this.#pending = undefined;
    this.#options.report.applied(config);
  }
}

/**
 * Whether the same configuration may be usable later: an address is freed, a certificate written.
 * The text itself was found right before.
 */
function mayComeRight(error: unknown): boolean {
  return isRetriable(error) || (error instanceof RatholeError && error.code === "config");
}
