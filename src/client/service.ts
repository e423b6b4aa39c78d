/**
 * A configured service on the client's side: offered to the server for as long as it is configured,
 * and while its configuration changes.
 *
 * @module
 */

import { CarrierCounters } from "../carrier/counters.ts";
import type { ClientServiceConfig } from "../config/types.ts";
import { type Address, configuredAddress } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { ClientContext } from "./context.ts";
import { type ForwardCounters, zeroCounters } from "./counters.ts";
import type { Forwarder } from "./forwarder.ts";
import { Offer, type OfferWatch, type ServiceState } from "./offer.ts";
import { TcpForwarder } from "./tcp_forwarder.ts";
import { UdpForwarder } from "./udp_forwarder.ts";

/** Keys of a service that changed. */
export type ServiceKeys = ReadonlySet<keyof ClientServiceConfig>;

/** Why an offer ends when another takes its place. */
const REPLACED = "replaced, since the configuration was updated";
/** What is to be known about an offer that fails while the one before it goes on. */
const SERVED = "the control channel from before the update serves on";

/** See the module. */
export class Service {
  /** Its name, taken literally. */
  readonly name: string;
  /** What it has counted so far. */
  readonly counters: ForwardCounters = zeroCounters();
  /** What its carriers have counted. */
  readonly carrierCounters: CarrierCounters = new CarrierCounters();
  readonly #context: ClientContext;
  readonly #gaveUp: () => void;
  /** Ends its sessions and what waits for visitors; streams live on. */
  readonly #scope: Scope;
  readonly #forwarder: Forwarder;
  #config: ClientServiceConfig;
  #local: Address;
  #offer: Offer;
  /** One whose session serves until its successor has one. */
  #former: Offer | undefined;
  #lastError: string | undefined;

  /** Offers a service from now on; `gaveUp` is called whenever it has. */
  constructor(
    name: string,
    config: ClientServiceConfig,
    context: ClientContext,
    gaveUp: () => void,
  ) {
    this.name = name;
    this.#config = config;
    this.#context = context;
    this.#gaveUp = gaveUp;
    this.#local = configuredAddress(config.local_addr);
    const scope = this.#scope = context.intake.child();
    const { counters } = this;
    const options = { name, local: () => this.#local, counters, scope, context };
    this.#forwarder = config.type === "tcp" ? new TcpForwarder(options) : new UdpForwarder(options);
    this.#offer = this.#begin();
  }

  /** Its configuration at this moment. */
  get config(): ClientServiceConfig {
    return this.#config;
  }

  /** Where it stands with the server. */
  get state(): ServiceState {
    return this.#former === undefined ? this.#offer.state : "established";
  }

  /** Why it was last lost or refused. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Goes by a changed configuration of the same type, at the cost of what has changed; `anew` when
   * it must be offered anew whatever that is.
   */
  update(config: ClientServiceConfig, keys: ServiceKeys, anew: boolean): void {
    this.#config = config;
    if (keys.has("local_addr")) this.#local = configuredAddress(config.local_addr);
    const { state } = this.#offer;
    const revived = keys.size > 0 && state === "gave-up";
    if (anew || revived || keys.has("token")) return this.#renew();
    if (!keys.has("retry_interval") && !keys.has("max_retries")) return;
    if (state === "waiting") this.#renew();
    else this.#offer.startOver();
  }

  /** Ends it: the configuration has it no longer, or as something else. */
  remove(): void {
    this.#scope.abort(new RatholeError("aborted", "the service was removed"));
  }

  /**
   * Offers the service anew, by the way and with the token of this moment. A session that is
   * established serves until there is another.
   */
  #renew(): void {
    const before = this.#offer;
    if (before.state === "established") {
      before.retire();
      this.#former = before;
    } else {
      before.end(new RatholeError("aborted", REPLACED));
    }
    this.#offer = this.#begin();
  }

  #begin(): Offer {
    const { name: service } = this;
    const { journal, route } = this.#context;
    const { server } = route;
    const terms = {
      service,
      token: this.#config.token,
      route,
      config: () => this.#config,
      forwarder: this.#forwarder,
      carrierCounters: this.carrierCounters,
      context: this.#context,
    };
    const watch: OfferWatch = {
      established: () => {
        journal.record({ type: "control-channel-established", service, server });
        this.#former?.end(new RatholeError("aborted", REPLACED));
        this.#former = undefined;
      },
      failed: (type, why, retryIn) => {
        journal.record({ type, service, server, reason: this.#reason(why), retryIn });
      },
      gaveUp: (why, retries) => {
        const after = retries === undefined ? "" : `after max_retries = ${retries}: `;
        journal.record({ type: "gave-up", service, reason: after + this.#reason(why) });
        this.#gaveUp();
      },
      outlived: (why) => this.#outlive(why, server),
    };
    const offer = new Offer(terms, this.#scope, watch);
    this.#scope.run(() => offer.run());
    return offer;
  }

  #reason(why: unknown): string {
    const reason = this.#lastError = explain(why);
    return this.#former === undefined ? reason : `${reason}; ${SERVED}`;
  }

  /** The session from before an update was lost, and its successor has none yet. */
  async #outlive(why: unknown, server: Address): Promise<void> {
    this.#former = undefined;
    // It may have ended because the server has let its successor in, which is about to hear of it.
    while (this.#offer.state === "connecting" && !this.#scope.aborted) await this.#offer.attempted;
    if (this.#scope.aborted || this.state === "established") return;
    // Losing it is news from the server: what was refused before may not be any more.
    const reason = this.#reason(why);
    const { name: service } = this;
    const type = "control-channel-lost";
    this.#context.journal.record({ type, service, server, reason, retryIn: 0 });
    this.#renew();
  }
}
