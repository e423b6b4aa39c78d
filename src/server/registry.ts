/**
 * Services by what clients ask for, and sessions by what data channels show.
 *
 * @module
 */

import { equalDigests, serviceDigest } from "../protocol/auth.ts";
import type { Expectations } from "./admission.ts";
import { sourceNetwork } from "../runtime/address.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

/** Finds services and sessions by their 32 bytes. */
export class Registry implements Expectations {
  #services: ReadonlyMap<string, Service> = new Map();
  /** By the first half of the key only: the other half is compared in constant time. */
  readonly #sessions = new Map<string, Session>();

  /** All services, in the order of the configuration. */
  get services(): Service[] {
    return [...this.#services.values()];
  }

  /** Makes these the services, in this order, once what is returned is called. */
  async arrange(services: readonly Service[]): Promise<() => void> {
    const byDigest = new Map<string, Service>();
    for (const service of services) {
      byDigest.set((await serviceDigest(service.name)).toHex(), service);
    }
    return () => void (this.#services = byDigest);
  }

  /** The service with this digest of its name. */
  serviceOf(digest: Uint8Array): Service | undefined {
    return this.#services.get(digest.toHex());
  }

  /** Makes a session known. */
  addSession(session: Session): void {
    this.#sessions.set(half(session.key), session);
  }

  /** Forgets a session. */
  deleteSession(session: Session): void {
    this.#sessions.delete(half(session.key));
  }

  /** The session with this key. */
  sessionOf(key: Uint8Array): Session | undefined {
    const session = this.#sessions.get(half(key));
    return session !== undefined && equalDigests(session.key, key) ? session : undefined;
  }

  /** See {@linkcode Expectations.total}. */
  total(): number {
    let expected = 0;
    for (const session of this.#sessions.values()) expected += expectedOf(session);
    return expected;
  }

  /** See {@linkcode Expectations.from}. */
  from(network: string): number {
    let expected = 0;
    for (const session of this.#sessions.values()) {
      if (session.network === network) expected += expectedOf(session);
    }
    return expected;
  }

  /** See {@linkcode Expectations.knows}: by the client's own address, or that of its proxy. */
  knows(network: string): boolean {
    for (const { network: via, peer } of this.#sessions.values()) {
      if (via === network || sourceNetwork(peer.hostname) === network) return true;
    }
    return false;
  }

  /** Every session hears what has changed for its carriers. */
  welcomeCarriers(): void {
    for (const session of this.#sessions.values()) session.welcomeCarriers();
  }

  /** See {@linkcode Expectations.carried}. */
  carried(): number {
    let carried = 0;
    for (const session of this.#sessions.values()) carried += session.carriers.streams;
    return carried;
  }

  /** See {@linkcode Expectations.makeWay}. */
  makeWay(): void {
    for (const session of this.#sessions.values()) session.pool.makeWay();
  }
}

function expectedOf({ carriers, pool }: Session): number {
  return pool.expected + carriers.expected;
}

function half(key: Uint8Array): string {
  return key.subarray(0, key.length / 2).toHex();
}
