/**
 * Who may come in: bounds on what strangers can make the server hold.
 *
 * @module
 */

import type { ServerConfig } from "../config/types.ts";
import type { Address } from "../runtime/address.ts";

/** The limits of a server's configuration. */
export type Limits = Pick<
  ServerConfig,
  "max_connections" | "max_pending_handshakes" | "max_pending_handshakes_per_ip"
>;

/** How many data channels the server has asked for that have not arrived yet. */
export interface Expectations {
  /** In all. */
  total(): number;
  /** From the sessions of one IP address. */
  from(hostname: string): number;
}

/** A connection that was let in. Both calls are idempotent. */
export interface Ticket {
  /** Its handshake is over. */
  settle(): void;
  /** It is closed. */
  leave(): void;
}

/**
 * Counts connections (in all, and with a handshake pending in all and per IP address) and lets in
 * what fits. Handshakes of data channels that the server itself asked for come on top of the
 * pending limits, so that a burst of visitors cannot lock their own client out.
 */
export class Admission {
  readonly #limits: Limits;
  readonly #expected: Expectations;
  readonly #pendingFrom = new Map<string, number>();
  #connections = 0;
  #pending = 0;

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
    return this.#pending;
  }

  /** A visitor: a ticket, or why there is none. */
  admitVisitor(): Ticket | string {
    return this.#full() ?? this.#enter(() => {});
  }

  /** A client, or somebody who may turn out to be one: a ticket, or why there is none. */
  admitClient({ hostname }: Address): Ticket | string {
    const full = this.#full();
    if (full !== null) return full;
    const { max_pending_handshakes: most, max_pending_handshakes_per_ip: mostPerIp } = this.#limits;
    if (this.#pending >= most && this.#pending >= most + this.#expected.total()) {
      return `max_pending_handshakes = ${most} reached`;
    }
    const here = this.#pendingFrom.get(hostname) ?? 0;
    if (here >= mostPerIp && here >= mostPerIp + this.#expected.from(hostname)) {
      return `max_pending_handshakes_per_ip = ${mostPerIp} reached`;
    }
    this.#pending++;
    this.#pendingFrom.set(hostname, here + 1);
    return this.#enter(() => {
      this.#pending--;
      const left = (this.#pendingFrom.get(hostname) ?? 1) - 1;
      if (left === 0) this.#pendingFrom.delete(hostname);
      else this.#pendingFrom.set(hostname, left);
    });
  }

  #full(): string | null {
    const most = this.#limits.max_connections;
    return this.#connections >= most ? `max_connections = ${most} reached` : null;
  }

  #enter(settled: () => void): Ticket {
    this.#connections++;
    let pending = true;
    let present = true;
    const settle = () => {
      if (!pending) return;
      pending = false;
      settled();
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
