/**
 * A configured service: who offers it at the moment, and the door for its visitors.
 *
 * @module
 */

import { CarrierCounters } from "../carrier/counters.ts";
import type { ServiceChange } from "../config/difference.ts";
import type { ServerServiceConfig } from "../config/types.ts";
import { type Address, formatAddress } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";
import { type Change, type MakeWay, simply } from "./change.ts";
import type { ServerContext } from "./context.ts";
import { type ServiceCounters, zeroCounters } from "./counters.ts";
import { Door } from "./door.ts";
import type { ReserveBounds } from "./reserve.ts";
import type { Session, SessionCarriers } from "./session.ts";

/** Data channels kept in reserve for visitors: at first as many as rathole 0.5.0 keeps. */
const TCP_RESERVE = { least: 8, most: 64 };
/** Data channels of a UDP service at least. */
const UDP_RESERVE = 2;

/** Whether the door must be opened anew where such keys have changed. */
export function movesDoor(keys?: ReadonlySet<keyof ServerServiceConfig>): boolean {
  return keys !== undefined && (keys.has("bind_addr") || keys.has("udp_data_channels"));
}

/** See the module. Visitors can connect only while a client offers the service. */
export class Service {
  /** Its name, taken literally. */
  readonly name: string;
  /** What it has counted so far. */
  readonly counters: ServiceCounters = zeroCounters();
  /** What its carriers have counted. */
  readonly carrierCounters: CarrierCounters = new CarrierCounters();
  readonly #context: ServerContext;
  readonly #door: Door;
  #config: ServerServiceConfig;
  #session: Session | undefined;
  #removed = false;

  /** A service nobody offers yet. */
  constructor(name: string, config: ServerServiceConfig, context: ServerContext) {
    this.name = name;
    this.#config = config;
    this.#context = context;
    this.#door = new Door({
      name,
      counters: this.counters,
      context,
      config: () => this.#config,
      session: () => this.#session,
    });
  }

  /** Its configuration at this moment. */
  get config(): ServerServiceConfig {
    return this.#config;
  }

  /** What a client must know. */
  get token(): Secret {
    return this.#config.token;
  }

  /** Data channels that a session keeps in reserve. */
  get reserve(): ReserveBounds {
    const { growth } = this.#context;
    if (this.#config.type === "tcp") return { ...TCP_RESERVE, growth };
    // Its visitors share these: more of them ask for no more.
    const channels = Math.max(UDP_RESERVE, this.#config.udp_data_channels);
    return { least: channels, most: channels };
  }

  /** What a session of a client at this address needs to have carriers. */
  carriers(peer: Address): SessionCarriers {
    const { name: service } = this;
    const { buffers, carriers: owner, journal } = this.#context;
    return {
      owner,
      buffers,
      counters: this.carrierCounters,
      events: {
        opened: () => journal.record({ type: "carrier-opened", service, peer }),
        lost: (reason, streams) =>
          journal.record({ type: "carrier-lost", service, peer, reason, streams }),
      },
      most: () => this.#context.config.carriers,
      nodelay: () => this.#config.nodelay,
    };
  }

  /** Who offers it at the moment. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Where visitors connect; undefined while they cannot. */
  get address(): Address | undefined {
    return this.#door.address;
  }

  /** Whether the configuration has it no longer. */
  get removed(): boolean {
    return this.#removed;
  }

  /** Has a session offer the service, in place of the one before, until the session ends. */
  async offerThrough(session: Session): Promise<void> {
    const { name } = this;
    const { intake, journal } = this.#context;
    const { peer } = session;
    const before = this.#session;
    this.#session = session;
    const by = formatAddress(peer);
    before?.end(new RatholeError("aborted", `displaced by a newer client at ${by}`));
    journal.record({ type: "control-channel-established", service: name, peer });
    this.#door.open();
    const reason = explain(await session.listen());
    const { address } = this;
    const last = this.#session === session;
    if (last) {
      this.#session = undefined;
      this.#door.close();
    }
    const wanted = this.#removed || intake.aborted;
    journal.record({ type: "control-channel-lost", service: name, peer, reason, wanted });
    if (!last || address === undefined) return;
    journal.record({ type: "service-closed", service: name, address });
  }

  /**
   * Prepares a changed configuration of the same type. A new token has the client prove itself
   * again; a new address moves the door; streams that are open notice nothing.
   *
   * @throws {RatholeError} when the door cannot be where it should
   */
  async change(
    { after, keys }: ServiceChange<ServerServiceConfig>,
    makeWay: MakeWay,
  ): Promise<Change> {
    const door = movesDoor(keys) ? await this.#door.move(after, makeWay) : simply(() => {});
    return {
      commit: () => {
        this.#config = after;
        door.commit();
        if (!keys.has("token")) return;
        this.#session?.end(new RatholeError("aborted", "the service's token has changed"));
      },
      discard: () => door.discard(),
    };
  }

  /** See {@linkcode Door.vacate}. */
  vacate(): void {
    this.#door.vacate();
  }

  /** See {@linkcode Door.restore}. */
  restore(): void {
    this.#door.restore();
  }

  /** Ends it, but for the streams that are open. */
  remove(): void {
    this.#removed = true;
    this.#door.close();
    this.#session?.end(new RatholeError("aborted", "the configuration has the service no longer"));
  }
}
