/**
 * A configured service on the client's side: offered to the server for as long as it takes.
 *
 * @module
 */

import type { ClientServiceConfig } from "../config/types.ts";
import { mayUse } from "../net/permission.ts";
import { configuredAddress } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain, isRetriable } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { within } from "../runtime/within.ts";
import type { ClientContext } from "./context.ts";
import { type ForwardCounters, zeroCounters } from "./counters.ts";
import { openDataChannel } from "./data_channel.ts";
import type { Forwarder, ForwarderOptions } from "./forwarder.ts";
import { introduce } from "./handshake.ts";
import { Session } from "./session.ts";
import { TcpForwarder } from "./tcp_forwarder.ts";
import { UdpForwarder } from "./udp_forwarder.ts";

/** Milliseconds that connecting and the handshake may take. */
const CONNECT_TIMEOUT = 15_000;
/** A session that lasted so many milliseconds was a success: waits and counts start over. */
const LASTED = 3_000;

/** Where a service stands with the server. */
export type ServiceState = "connecting" | "established" | "waiting" | "gave-up";

/** See the module. */
export class Service {
  /** Its name, taken literally. */
  readonly name: string;
  /** Its configuration. */
  readonly config: ClientServiceConfig;
  /** What it has counted so far. */
  readonly counters: ForwardCounters = zeroCounters();
  readonly #context: ClientContext;
  readonly #forwarder: Forwarder;
  #state: ServiceState = "connecting";
  #lastError: string | undefined;

  /** A service that is not offered yet. @throws {RatholeError} `config` */
  constructor(name: string, config: ClientServiceConfig, context: ClientContext) {
    this.name = name;
    this.config = config;
    this.#context = context;
    const local = configuredAddress(config.local_addr);
    const options: ForwarderOptions = { name, config, local, counters: this.counters, context };
    this.#forwarder = config.type === "tcp" ? new TcpForwarder(options) : new UdpForwarder(options);
  }

  /** Where it stands with the server. */
  get state(): ServiceState {
    return this.#state;
  }

  /** Why it was last lost or refused. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Offers the service, again after every loss, until it gives up or the client stops. */
  async offer(signal: AbortSignal): Promise<void> {
    const { clock, journal, server } = this.#context;
    const { name: service, config } = this;
    const backoff = new Backoff(config.retry_interval * 1000);
    for (let attempts = 1; !signal.aborted; attempts++) {
      const since = clock.now();
      const { established, error } = await this.#stay();
      if (signal.aborted) return;
      if (established && clock.now() - since >= LASTED) {
        backoff.reset();
        attempts = 1;
      }
      const reason = this.#lastError = explain(error);
      const enough = config.max_retries > 0 && attempts > config.max_retries;
      if (enough || !isRetriable(error)) {
        this.#state = "gave-up";
        const after = enough ? `after max_retries = ${config.max_retries}: ` : "";
        journal.record({ type: "gave-up", service, reason: after + reason });
        return;
      }
      const retryIn = backoff.next();
      const type = established ? "control-channel-lost" : "control-channel-failed";
      journal.record({ type, service, server, reason, retryIn });
      this.#state = "waiting";
      await sleep(clock, retryIn, signal);
    }
  }

  /** One stay with the server. Resolves with why it ended, or did not come about. */
  async #stay(): Promise<{ established: boolean; error: unknown }> {
    const { clock, intake } = this.#context;
    this.#state = "connecting";
    await using scope = intake.child();
    const bounds = { clock, scope, timeout: CONNECT_TIMEOUT, what: "connecting to the server" };
    let session;
    try {
      session = await within(bounds, (signal) => this.#connect(scope, signal));
    } catch (error) {
      return { established: false, error };
    }
    return { established: true, error: await session.follow() };
  }

  async #connect(scope: Scope, signal: AbortSignal): Promise<Session> {
    const { clock, config, journal, server, transport } = this.#context;
    const connection = await transport.connect(server, { nodelay: true, signal });
    const abort = () => connection.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      // The time may have been up, or the client stopped, just as the connection was opened.
      signal.throwIfAborted();
      const { key, extended } = await introduce(connection, this.name, this.config.token);
      this.#state = "established";
      journal.record({ type: "control-channel-established", service: this.name, server });
      const channel = {
        service: this.name,
        // A name with several addresses, or one that changes, must not lead to another server.
        at: mayUse(connection.peer) ? connection.peer : undefined,
        key,
        nodelay: this.config.nodelay,
        forwarder: this.#forwarder,
        context: this.#context,
      };
      return new Session({
        connection,
        extended,
        heartbeatTimeout: config.heartbeat_timeout * 1000,
        scope,
        clock,
        open: (scope) => openDataChannel(channel, scope),
      });
    } catch (error) {
      connection.abort(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
