/**
 * Who may come in: bounds on what strangers can make the server hold.
 *
 * @module
 */

import type { ServerConfig } from "../config/types.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";

/** The limits of a server's configuration. */
export type Limits = Pick<
  ServerConfig,
  "max_connections" | "max_pending_handshakes" | "max_pending_handshakes_per_ip"
>;

/** How many data channels the server has asked for that have not arrived yet. */
export interface Expectations {
  /** In all. */
  total(): number;
  /** From the sessions of one network, as `sourceNetwork` names it. */
  from(network: string): number;
}

/** A connection that was let in. Both calls are idempotent. */
export interface Ticket {
  /** Its handshake is over. */
  settle(): void;
  /** It is closed. */
  leave(): void;
}

/** The share of all connections that visitors leave to clients, who serve those who are in. */
const CLIENTS_RESERVE = 1 / 8;

/** Ends a connection whose handshake is pending. */
export type Ender = (reason: unknown) => void;

/**
 * Counts connections, in all, and those with a handshake pending in all and per source network.
 *
 * Where too many handshakes are pending, the oldest of them makes way for the newcomer: an honest
 * handshake takes a round trip or two, so what has waited longest is the least likely to be one,
 * and a stranger who keeps the limit filled must redo the work all the time and still locks nobody
 * out. Handshakes of data channels that the server itself asked for come on top of the limits.
 */
export class Admission {
  readonly #limits: Limits;
  readonly #expected: Expectations;
  /** Oldest first, as a Set keeps them. */
  readonly #pending = new Set<Pending>();
  readonly #pendingFrom = new Map<string, Set<Pending>>();
  #connections = 0;

  /** Takes what to count against, and what is expected at any moment. */
  constructor(limits: Limits, expected: Expectations) {
    this.#limits = limits;
    this.#expected = expected;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections whose handshake is not over. */
  get pending(): number {
    return this.#pending.size;
  }

  /** A visitor: a ticket, or why there is none. */
  admitVisitor(): Ticket | string {
    return this.#full(CLIENTS_RESERVE) ?? this.#enter(null);
  }

  /**
   * A client, or somebody who may turn out to be one: a ticket, or why there is none. `end` is
   * called when its handshake has to make way for a newer one.
   */
  admitClient({ hostname }: Address, end: Ender): Ticket | string {
    const full = this.#full(0);
    if (full !== null) return full;
    const network = sourceNetwork(hostname);
    this.#makeRoom(network);
    const pending: Pending = { network, end };
    this.#pending.add(pending);
    const neighbours = this.#pendingFrom.get(network);
    if (neighbours === undefined) this.#pendingFrom.set(network, new Set([pending]));
    else neighbours.add(pending);
    return this.#enter(pending);
  }

  /** Why there is no room beside a share of the connections that is kept free, or null. */
  #full(kept: number): string | null {
    const most = this.#limits.max_connections;
    const reached = this.#connections >= most - Math.floor(most * kept);
    return reached ? `max_connections = ${most} reached` : null;
  }

  #makeRoom(network: string): void {
    const { max_pending_handshakes: most, max_pending_handshakes_per_ip: mostPerIp } = this.#limits;
    const neighbours = this.#pendingFrom.get(network);
    const here = neighbours?.size ?? 0;
    if (here >= mostPerIp && here >= mostPerIp + this.#expected.from(network)) {
      this.#evictOldest(neighbours, `max_pending_handshakes_per_ip = ${mostPerIp} reached`);
    }
    const all = this.#pending.size;
    if (all >= most && all >= most + this.#expected.total()) {
      this.#evictOldest(this.#pending, `max_pending_handshakes = ${most} reached`);
    }
  }

  #evictOldest(among: ReadonlySet<Pending> | undefined, limit: string): void {
    for (const oldest of among ?? []) {
      this.#settle(oldest);
      oldest.end(new RatholeError("limit", `made way for a newer connection: ${limit}`));
      return;
    }
  }

  #settle(pending: Pending): void {
    this.#pending.delete(pending);
    const neighbours = this.#pendingFrom.get(pending.network);
    neighbours?.delete(pending);
    if (neighbours?.size === 0) this.#pendingFrom.delete(pending.network);
  }

  #enter(pending: Pending | null): Ticket {
    this.#connections++;
    let present = true;
    const settle = () => {
      if (pending !== null) this.#settle(pending);
    };
    const leave = () => {
      settle();
      if (!present) return;
      present = false;
      this.#connections--;
    };
    return { settle, leave };
  }
}

interface Pending {
  readonly network: string;
  readonly end: Ender;
}
