/**
 * How a client reaches the server's port: straight, or through a proxy.
 *
 * @module
 */

import { preferring } from "../net/prefer.ts";
import { type Family, resolveHost } from "../net/resolve.ts";
import { dialSocket } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";

/** What may differ from one attempt to the next. */
export interface DialOptions {
  /**
   * Where the socket of an earlier attempt ended up (the server, or the proxy on the way to it):
   * the same machine then, and no look-up.
   */
  readonly at?: Address | undefined;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Opens sockets that lead to an address. */
export interface Dialer {
  /**
   * A socket whose next byte, in either direction, is the tunnel's.
   *
   * @throws {RatholeError} `connect`, `resolve`, `permission`, `proxy`; the signal's reason when it
   * is aborted.
   */
  dial(to: Address, options: DialOptions): Promise<Deno.TcpConn>;
}

/** Dials the address itself. */
export class DirectDialer implements Dialer {
  readonly #prefer: Family;
  readonly #clock: Clock;

  /** `prefer` says which addresses of a host to try first. */
  constructor(prefer: Family, clock: Clock) {
    this.#prefer = prefer;
    this.#clock = clock;
  }

  /** See {@linkcode Dialer.dial}. */
  async dial(to: Address, { at, signal }: DialOptions): Promise<Deno.TcpConn> {
    if (at !== undefined) return await dialSocket(at, signal);
    if (this.#prefer === "any") return await dialSocket(to, signal);
    const first = await resolveHost(to, signal, this.#prefer);
    if (first.hostname === to.hostname) return await dialSocket(to, signal);
    const dial = (where: Address) => (signal: AbortSignal) => dialSocket(where, signal);
    return await preferring(dial(first), dial(to), this.#clock, signal);
  }
}
