/**
 * Who may come in: bounds on what strangers can make the server hold, and do.
 *
 * @module
 */

import type { ServerConfig } from "../config/types.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { HandshakeRates } from "./handshake_rates.ts";
import { Headcount } from "./headcount.ts";
import { Penalties } from "./penalties.ts";
import { type Ender, type Pending, PendingHandshakes } from "./pending.ts";
import { Shortage } from "./shortage.ts";

/** The limits of a server's configuration. */
export type Limits = Pick<
  ServerConfig,
  | "max_connections"
  | "max_connections_per_ip"
  | "max_pending_handshakes"
  | "max_pending_handshakes_per_ip"
  | "max_handshake_rate_per_ip"
  | "max_auth_failures_per_ip"
  | "max_auth_penalty"
>;

/** What the server expects of its clients. Networks are as `sourceNetwork` names them. */
export interface Expectations {
  /** How many data channels it has asked for that have not arrived yet. */
  total(): number;
  /** How many of them from the sessions of one network. */
  from(network: string): number;
  /** Whether a client of that network is there. */
  knows(network: string): boolean;
  /** How many visitors have streams on carriers. */
  carried(): number;
  /** Has data channels that nobody uses make way. */
  makeWay(): void;
}

/** A connection that was let in. All calls are idempotent. */
export interface Ticket {
  /** It is a data channel that the server asked for: it counts for its session, not its address. */
  join(): void;
  /** Its handshake is over. */
  settle(): void;
  /** It is closed. */
  leave(): void;
}

/** The share of all connections that visitors leave to clients, who serve those who are in. */
const CLIENTS_RESERVE = 1 / 8;
const OUT_OF_DESCRIPTORS = 'no file descriptors left (raise "ulimit -n")';

/**
 * Counts connections, and holds them to the limits: all of them, those of each network, handshakes
 * that are pending and handshakes that are begun. Data channels that the server itself asked for
 * come on top of the limits of their network, so that a client that is busy is not taken for one
 * that means harm; and a network with a client that is there pays no penalty for its neighbours.
 */
export class Admission {
  /** Failures to authenticate. */
  readonly penalties: Penalties;
  readonly #limits: () => Limits;
  readonly #expected: Expectations;
  readonly #rates: HandshakeRates;
  readonly #shortage: Shortage;
  readonly #pending = new PendingHandshakes();
  /** How each can be ended, oldest first. */
  readonly #visitors = new Set<Ender>();
  readonly #from = new Headcount();
  #connections = 0;

  /** Takes what to count against, at any moment, and what is expected at any moment. */
  constructor(limits: () => Limits, expected: Expectations, clock: Clock) {
    this.#limits = limits;
    this.#expected = expected;
    this.penalties = new Penalties(limits, clock);
    this.#rates = new HandshakeRates(() => limits().max_handshake_rate_per_ip, clock);
    this.#shortage = new Shortage(clock);
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections whose handshake is not over. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * A visitor: a ticket, or why there is none. `end` is called when it has to make way, for want
   * of descriptors.
   */
  admitVisitor({ hostname }: Address, end: Ender): Ticket | string {
    const network = sourceNetwork(hostname);
    const refusal = this.#full(CLIENTS_RESERVE) ?? this.#crowded(network, () => 0);
    if (refusal !== null) return refusal;
    if (this.#visitors.size >= this.#shortage.visitors) return OUT_OF_DESCRIPTORS;
    this.#visitors.add(end);
    return this.#enter(network, () => void this.#visitors.delete(end));
  }

  /**
   * A client, or somebody who may turn out to be one: a ticket, or why there is none. `end` is
   * called when its handshake has to make way for a newer one.
   */
  admitClient({ hostname }: Address, end: Ender): Ticket | string {
    const network = sourceNetwork(hostname);
    const expected = () => this.#expected.from(network);
    const refusal = this.refusal(network) ?? this.#full(0) ?? this.#crowded(network, expected);
    if (refusal !== null) return refusal;
    const beyondRate = !this.#rates.take(network);
    if (beyondRate && this.#pending.countBeyondRate(network) >= expected()) {
      return `max_handshake_rate_per_ip = ${this.#limits().max_handshake_rate_per_ip} reached`;
    }
    this.#makeRoom(network);
    const pending: Pending = { network, beyondRate, end };
    this.#pending.add(pending);
    return this.#enter(network, () => this.#pending.delete(pending));
  }

  /** Why clients of a network, as `sourceNetwork` names it, pay a penalty at this moment, or null. */
  refusal(network: string): string | null {
    const refusal = this.penalties.refusal(network);
    return refusal !== null && !this.#expected.knows(network) ? refusal : null;
  }

  /** The process has no descriptors left: who came last makes way, for clients most of all. */
  exhausted(): void {
    const visitors = this.#visitors.size;
    const carried = this.#expected.carried();
    this.#shortage.noticed({ connections: this.#connections, visitors, carried });
    this.#expected.makeWay();
    const strangers = this.#pending.size - this.#expected.total();
    for (let i = strangers - this.#shortage.pending; i > 0; i--) {
      this.#pending.evictOldest(OUT_OF_DESCRIPTORS);
    }
    const kept = this.#shortage.visitors;
    if (this.#visitors.size <= kept) return;
    for (const end of [...this.#visitors].slice(kept)) {
      this.#visitors.delete(end);
      end(new RatholeError("limit", `made way: ${OUT_OF_DESCRIPTORS}`));
    }
  }

  /** Why there is no room beside a share of the connections that is kept free, or null. */
  #full(kept: number): string | null {
    const most = this.#limits().max_connections;
    const reached = () => this.#connections >= most - Math.floor(most * kept);
    if (reached()) this.#expected.makeWay();
    return reached() ? `max_connections = ${most} reached` : null;
  }

  /** Why there is no room for one from a network, which `more` come on top of, or null. */
  #crowded(network: string, more: () => number): string | null {
    const most = this.#limits().max_connections_per_ip;
    const here = this.#from.of(network);
    const reached = here >= most && here >= most + more();
    return reached ? `max_connections_per_ip = ${most} reached` : null;
  }

  #makeRoom(network: string): void {
    const limits = this.#limits();
    const mostPerIp = limits.max_pending_handshakes_per_ip;
    const here = this.#pending.countFrom(network);
    if (here >= mostPerIp && here >= mostPerIp + this.#expected.from(network)) {
      this.#pending.evictOldest(`max_pending_handshakes_per_ip = ${mostPerIp} reached`, network);
    }
    const most = Math.min(limits.max_pending_handshakes, this.#shortage.pending);
    const all = this.#pending.size;
    if (all >= most && all >= most + this.#expected.total()) {
      this.#pending.evictOldest(`max_pending_handshakes = ${most} reached`);
    }
  }

  /** `over` is called when its handshake is, or the visitor has left; often more than once. */
  #enter(network: string, over: () => void): Ticket {
    this.#connections++;
    this.#from.add(network);
    let present = true;
    let joined = false;
    const join = () => {
      if (joined || !present) return;
      joined = true;
      this.#from.remove(network);
      this.#rates.giveBack(network);
    };
    const leave = () => {
      over();
      if (!present) return;
      present = false;
      this.#connections--;
      if (!joined) this.#from.remove(network);
    };
    return { join, settle: over, leave };
  }
}
