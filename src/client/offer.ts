/**
 * A service being offered on fixed terms, by one way and with one token: again after every loss,
 * until it gives up, is retired or is ended.
 *
 * @module
 */

import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { isRetriable } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { within } from "../runtime/within.ts";
import { openSession, type SessionTerms } from "./open_session.ts";

/** Milliseconds that connecting and the handshake may take. */
const CONNECT_TIMEOUT = 15_000;
/** A session that lasted so many milliseconds was a success: waits and counts start over. */
const LASTED = 3_000;
/**
 * Milliseconds for which data channels outlive their control channel: the server may just have
 * used one for a visitor, of which this end is about to hear.
 */
const LINGER = 2_000;

/** Where a service stands with the server. */
export type ServiceState = "connecting" | "established" | "waiting" | "gave-up";

/** Hears how an offer fares. */
export interface OfferWatch {
  /** The server lets it in. */
  established(): void;
  /** A session was lost, or none came about; it is tried again. */
  failed(type: "control-channel-lost" | "control-channel-failed", why: unknown, wait: number): void;
  /** It is not tried any more, after so many retries or because that cannot help. */
  gaveUp(why: unknown, retries: number | undefined): void;
  /** It was retired, and its last session has ended. */
  outlived(why: unknown): Promise<void>;
}

/** See the module. */
export class Offer {
  readonly #terms: SessionTerms;
  readonly #service: Scope;
  readonly #scope: Scope;
  readonly #watch: OfferWatch;
  #state: ServiceState = "connecting";
  #attempt = Promise.withResolvers<void>();
  #backoff: Backoff | undefined;
  #failures = 0;
  #retired = false;

  /** An offer that is not under way yet; `service` owns it. */
  constructor(terms: SessionTerms, service: Scope, watch: OfferWatch) {
    this.#terms = terms;
    this.#service = service;
    this.#scope = service.child();
    this.#watch = watch;
  }

  /** Where it stands. */
  get state(): ServiceState {
    return this.#state;
  }

  /** Resolves when the attempt that is under way has succeeded or failed. */
  get attempted(): Promise<void> {
    return this.#attempt.promise;
  }

  /** Counts and waits start over with the next failure, by the configuration of that time. */
  startOver(): void {
    this.#failures = 0;
    this.#backoff = undefined;
  }

  /** Makes its session the last one. */
  retire(): void {
    this.#retired = true;
  }

  /** Ends it, its session included. Streams live on, idle data channels for a moment. */
  end(reason: unknown): void {
    this.#scope.abort(reason);
  }

  /** Offers the service. */
  async run(): Promise<void> {
    await using scope = this.#scope;
    const { clock } = this.#terms.context;
    while (!scope.aborted) {
      const since = clock.now();
      const { established, error } = await this.#stay();
      if (scope.aborted) return;
      if (this.#retired) return await this.#watch.outlived(error);
      if (established && clock.now() - since >= LASTED) this.startOver();
      const wait = this.#nextWait(error);
      if (wait === null) return;
      this.#state = "waiting";
      const type = established ? "control-channel-lost" : "control-channel-failed";
      this.#watch.failed(type, error, wait);
      await sleep(clock, wait, scope.signal);
    }
  }

  /** Milliseconds until the next attempt; null when it has given up. */
  #nextWait(error: unknown): number | null {
    const { max_retries, retry_interval } = this.#terms.config();
    this.#failures++;
    const enough = max_retries > 0 && this.#failures > max_retries;
    if (enough || !isRetriable(error)) {
      this.#state = "gave-up";
      this.#watch.gaveUp(error, enough ? max_retries : undefined);
      return null;
    }
    this.#backoff ??= new Backoff(retry_interval * 1000);
    return this.#backoff.next();
  }

  /** One stay with the server. Resolves with why it ended, or did not come about. */
  async #stay(): Promise<{ established: boolean; error: unknown }> {
    const { clock } = this.#terms.context;
    this.#state = "connecting";
    const attempt = this.#attempt = Promise.withResolvers<void>();
    await using scope = this.#scope.child();
    const channels = this.#service.child();
    const bounds = { clock, scope, timeout: CONNECT_TIMEOUT, what: "connecting to the server" };
    try {
      const scopes = { session: scope, channels };
      const session = await within(bounds, (signal) => openSession(this.#terms, scopes, signal));
      // The client may have stopped just as the server let it in.
      scope.signal.throwIfAborted();
      this.#state = "established";
      this.#watch.established();
      attempt.resolve();
      return { established: true, error: await session.follow() };
    } catch (error) {
      return { established: false, error };
    } finally {
      attempt.resolve();
      this.#leave(channels);
    }
  }

  /** Leaves the data channels of a session that is over, those still unused after a moment. */
  #leave(channels: Scope): void {
    const { clock } = this.#terms.context;
    if (channels.size === 0) return channels.abort();
    this.#service.run(async (signal) => {
      await sleep(clock, LINGER, signal);
      channels.abort();
    });
  }
}
