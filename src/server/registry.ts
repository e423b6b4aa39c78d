/**
 * Services by what clients ask for, and sessions by what data channels show.
 *
 * @module
 */

import { equalDigests, serviceDigest } from "../protocol/auth.ts";
import type { Expectations } from "./admission.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

/** Finds services and sessions by their 32 bytes. */
export class Registry implements Expectations {
  readonly #services = new Map<string, Service>();
  /** By the first half of the key only: the other half is compared in constant time. */
  readonly #sessions = new Map<string, Session>();

  /** All services, in the order they were added. */
  get services(): Service[] {
    return [...this.#services.values()];
  }

  /** Makes a service known. */
  async addService(service: Service): Promise<void> {
    this.#services.set((await serviceDigest(service.name)).toHex(), service);
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
    for (const session of this.#sessions.values()) expected += session.pool.expected;
    return expected;
  }

  /** See {@linkcode Expectations.from}. */
  from(network: string): number {
    let expected = 0;
    for (const session of this.#sessions.values()) {
      if (session.network === network) expected += session.pool.expected;
    }
    return expected;
  }
}

function half(key: Uint8Array): string {
  return key.subarray(0, key.length / 2).toHex();
}
