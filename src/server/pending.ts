/**
 * Connections whose handshake is not over.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** Ends a connection. */
export type Ender = (reason: unknown) => void;

/** A connection whose handshake is pending. */
export interface Pending {
  /** Where it comes from, as `sourceNetwork` names it. */
  readonly network: string;
  /** Whether it was let in beyond its network's rate, as a data channel that is expected. */
  readonly beyondRate: boolean;
  /** Has it make way. */
  readonly end: Ender;
}

/**
 * Pending handshakes in all and of each network, oldest first.
 *
 * Where there are too many, the oldest makes way for the newcomer: an honest handshake takes a
 * round trip or two, so what has waited longest is the least likely to be one, and a stranger who
 * keeps the limit filled must redo the work all the time and still locks nobody out.
 */
export class PendingHandshakes {
  /** Oldest first, as a Set keeps them. */
  readonly #all = new Set<Pending>();
  readonly #from = new Map<string, Set<Pending>>();

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** How many of one network there are. */
  countFrom(network: string): number {
    return this.#from.get(network)?.size ?? 0;
  }

  /** How many of one network were let in beyond its rate. */
  countBeyondRate(network: string): number {
    let count = 0;
    for (const { beyondRate } of this.#from.get(network) ?? []) if (beyondRate) count++;
    return count;
  }

  /** One more. */
  add(pending: Pending): void {
    this.#all.add(pending);
    const neighbours = this.#from.get(pending.network);
    if (neighbours === undefined) this.#from.set(pending.network, new Set([pending]));
    else neighbours.add(pending);
  }

  /** Its handshake is over. Idempotent. */
  delete(pending: Pending): void {
    this.#all.delete(pending);
    const neighbours = this.#from.get(pending.network);
    neighbours?.delete(pending);
    if (neighbours?.size === 0) this.#from.delete(pending.network);
  }

  /** Has the oldest make way, in all or of one network; `limit` is what was reached. */
  evictOldest(limit: string, network?: string): void {
    const among = network === undefined ? this.#all : this.#from.get(network);
    for (const oldest of among ?? []) {
      this.delete(oldest);
      oldest.end(new RatholeError("limit", `made way for a newer connection: ${limit}`));
      return;
    }
  }
}
