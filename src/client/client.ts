/**
 * The hidden end of the tunnel.
 *
 * @module
 */

import { describeDifference } from "../config/describe_difference.ts";
import { differenceOf, isSame } from "../config/difference.ts";
import type { ClientOptions } from "../config/options.ts";
import type { ClientConfig } from "../config/types.ts";
import { validateClientConfig } from "../config/validate.ts";
import { BufferStore } from "../net/buffers.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { RatholeError } from "../runtime/errors.ts";
import { Lifecycle, type StartOptions, throwIfAborted } from "../runtime/lifecycle.ts";
import type { ClientContext } from "./context.ts";
import type { ClientEvent } from "./events.ts";
import { openClientJournal } from "./journal.ts";
import { requirePermissions } from "./permissions.ts";
import { isSameRoute, openRoute, type RouteParts } from "./route.ts";
import { type ClientDifference, Services } from "./services.ts";
import { type ClientStatus, serviceStatus } from "./status.ts";

/** A running client. Leaving it (`await using`) ends it at once, open streams included. */
export interface Client extends AsyncDisposable {
  /**
   * Resolves when the client has ended; rejects with a `RatholeError` of code `exhausted` when it
   * ended because all its services have given up.
   */
  readonly closed: Promise<void>;
  /** The client at this moment. */
  status(): ClientStatus;
  /** What happens from now on. A reader that falls 1024 events behind loses the oldest. */
  events(): AsyncIterable<ClientEvent>;
  /**
   * Goes over to a changed configuration, each change at the cost of what it touches: a service that
   * did not change notices nothing, and open streams survive every update, those of removed services
   * included. With another token, or another way to the server, a service's new control channel is
   * established before the old one ends, and as long as it cannot be, the old one serves. A service
   * that has given up, and is changed, is tried again. Updates come into force one after the other.
   *
   * @throws {RatholeError} what {@linkcode startClient} throws, or `aborted` when the client drains
   * or has ended; everything is as before then.
   */
  update(config: ClientOptions | ClientConfig): Promise<void>;
  /**
   * Takes nothing new, lets open streams finish for `drain_timeout` at most, then ends the client.
   * Called again while it drains, it ends the client at once.
   */
  drain(): Promise<void>;
}

/**
 * Starts a client, which from then on tries to reach the server. It prints nothing: what happens is
 * told to those who configure LogTape (category `rathole`) or read its events.
 *
 * @throws {RatholeError} `config` for an invalid configuration or a file that it names and that
 * cannot be used, `permission` when the sandbox does not allow what it needs.
 */
export async function startClient(
  config: ClientOptions | ClientConfig,
  options: StartOptions = {},
): Promise<Client> {
  throwIfAborted(options.signal);
  const complete = validateClientConfig(config);
  requirePermissions(complete);
  const clock = new SystemClock();
  const journal = openClientJournal(() => clock.now());
  const parts = { buffers: new BufferStore(), clock, journal };
  const route = await openRoute(complete, parts);
  throwIfAborted(options.signal);
  const client = new RunningClient({ config: complete, route }, parts);
  client.run(options.signal);
  return client;
}

/** What an update replaces, all at once. */
type Current = Pick<ClientContext, "config" | "route">;

class RunningClient implements Client {
  readonly closed: Promise<void>;
  readonly #lifecycle: Lifecycle;
  readonly #context: ClientContext;
  readonly #services: Services;
  readonly #ended = Promise.withResolvers<void>();
  #current: Current;
  #exhausted: RatholeError | undefined;

  constructor(current: Current, parts: RouteParts) {
    const { clock, journal } = parts;
    this.#current = current;
    this.closed = this.#ended.promise;
    // Whoever embeds a client may not care; then this must not end the process.
    this.closed.catch(() => {});
    this.#lifecycle = new Lifecycle({
      what: "client",
      clock,
      drainTimeout: () => this.#current.config.drain_timeout * 1000,
      draining: (streams) => journal.record({ type: "draining", streams }),
      stopped: () => this.#stopped(),
      fault: (reason) => journal.record({ type: "fault", reason }),
    });
    const { intake, streams } = this.#lifecycle;
    const now = () => this.#current;
    this.#context = {
      ...parts,
      get config() {
        return now().config;
      },
      get route() {
        return now().route;
      },
      intake,
      streams,
      carriers: streams.child(),
    };
    this.#services = new Services(this.#context, (error) => this.#giveUp(error));
  }

  run(signal: AbortSignal | undefined): void {
    this.#services.start();
    if (signal !== undefined) this.#lifecycle.endWith(signal);
  }

  update(config: ClientOptions | ClientConfig): Promise<void> {
    return this.#lifecycle.update(() => this.#update(config));
  }

  async #update(options: ClientOptions | ClientConfig): Promise<void> {
    this.#lifecycle.requireRunning();
    const before = this.#current;
    const config = validateClientConfig(options);
    const difference: ClientDifference = differenceOf(before.config, config);
    if (isSame(difference)) return;
    requirePermissions(config);
    const moved = !isSameRoute(before.config, config);
    const route = moved ? await openRoute(config, this.#context) : before.route;
    this.#lifecycle.requireRunning();
    // From here on nothing can fail.
    this.#current = { config, route };
    const changes = describeDifference(difference);
    this.#context.journal.record({ type: "configuration-updated", changes });
    this.#services.update(difference, moved);
  }

  status(): ClientStatus {
    return {
      state: this.#lifecycle.state,
      server: this.#context.route.server,
      streams: this.#context.streams.size,
      services: this.#services.all.map(serviceStatus),
    };
  }

  events(): AsyncIterable<ClientEvent> {
    return this.#context.journal.stream.subscribe();
  }

  drain(): Promise<void> {
    return this.#lifecycle.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifecycle.end();
  }

  #stopped(): void {
    const { journal } = this.#context;
    journal.record({ type: "stopped" });
    journal.stream.end();
    if (this.#exhausted === undefined) this.#ended.resolve();
    else this.#ended.reject(this.#exhausted);
  }

  /** Ends the client, since nothing is left to try; streams that are open may finish. */
  #giveUp(error: RatholeError): void {
    this.#exhausted ??= error;
    // Cannot fail, and `closed` tells when it is done.
    void this.drain();
  }
}
