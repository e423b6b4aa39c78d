/**
 * A configured service: who offers it at the moment, and the door for its visitors.
 *
 * @module
 */

import type { ServerServiceConfig } from "../config/types.ts";
import { type Address, configuredAddress, formatAddress } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Secret } from "../runtime/secret.ts";
import type { ServerContext } from "./context.ts";
import { type ServiceCounters, zeroCounters } from "./counters.ts";
import type { Front, FrontOptions } from "./front.ts";
import type { Session } from "./session.ts";
import { TcpVisitors } from "./tcp_visitors.ts";
import { UdpVisitors } from "./udp_visitors.ts";

/** Data channels kept in reserve, as rathole 0.5.0 does. */
const TCP_RESERVE = 8;
const UDP_RESERVE = 2;
/** The longest pause between attempts to listen for visitors, in milliseconds. */
const LONGEST_BIND_PAUSE = 5_000;

/** See the module. Visitors can connect only while a client offers the service. */
export class Service {
  /** Its name, taken literally. */
  readonly name: string;
  /** Its configuration. */
  readonly config: ServerServiceConfig;
  /** What it has counted so far. */
  readonly counters: ServiceCounters = zeroCounters();
  readonly #context: ServerContext;
  #session: Session | undefined;
  #front: Front | undefined;
  #open: Scope | undefined;

  /** A service nobody offers yet. */
  constructor(name: string, config: ServerServiceConfig, context: ServerContext) {
    this.name = name;
    this.config = config;
    this.#context = context;
  }

  /** What a client must know. */
  get token(): Secret {
    return this.config.token;
  }

  /** Data channels that a session keeps in reserve. */
  get reserve(): number {
    if (this.config.type === "tcp") return TCP_RESERVE;
    return Math.max(UDP_RESERVE, this.config.udp_data_channels);
  }

  /** Who offers it at the moment. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Where visitors connect; undefined while they cannot. */
  get address(): Address | undefined {
    return this.#front?.address;
  }

  /** Has a session offer the service, in place of the one before, until the session ends. */
  async offerThrough(session: Session): Promise<void> {
    const { name } = this;
    const { journal } = this.#context;
    const { peer } = session;
    const before = this.#session;
    this.#session = session;
    const by = formatAddress(peer);
    before?.end(new RatholeError("aborted", `displaced by a newer client at ${by}`));
    journal.record({ type: "control-channel-established", service: name, peer });
    if (this.#open === undefined) this.#openFront();
    else this.#front?.serve(session);
    const reason = explain(await session.listen());
    if (this.#session === session) {
      this.#session = undefined;
      this.#open?.abort();
      this.#open = undefined;
      this.#front = undefined;
    }
    journal.record({ type: "control-channel-lost", service: name, peer, reason });
  }

  #openFront(): void {
    const scope = this.#context.intake.child();
    this.#open = scope;
    scope.run((signal) => this.#listen(scope, signal));
  }

  /** Opens the door, trying until it succeeds: a port may be taken for a while after a restart. */
  async #listen(scope: Scope, signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#context;
    const backoff = new Backoff(LONGEST_BIND_PAUSE);
    const { name } = this;
    while (!signal.aborted) {
      try {
        const front = await this.#openDoor(scope);
        if (signal.aborted) return;
        this.#front = front;
        journal.record({ type: "service-listening", service: name, address: front.address });
        if (this.#session !== undefined) front.serve(this.#session);
        return;
      } catch (error) {
        const retryIn = backoff.next();
        journal.record({
          type: "service-bind-failed",
          service: name,
          reason: explain(error),
          retryIn,
        });
        await sleep(clock, retryIn, signal);
      }
    }
  }

  #openDoor(scope: Scope): Front | Promise<Front> {
    const { config, counters, name } = this;
    const at = configuredAddress(config.bind_addr);
    const options: FrontOptions = {
      name,
      config,
      counters,
      context: this.#context,
      session: () => this.#session,
    };
    return config.type === "tcp"
      ? new TcpVisitors(at, options, scope)
      : UdpVisitors.open(at, options, scope);
  }
}
