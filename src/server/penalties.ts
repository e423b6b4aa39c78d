/**
 * Refusing for a while who fails to authenticate again and again.
 *
 * @module
 */

import type { ServerConfig } from "../config/types.ts";
import { ExpiringMap } from "../net/expiring_map.ts";
import type { Clock } from "../runtime/clock.ts";

/** What of a server's configuration is about penalties. */
export type PenaltyLimits = Pick<ServerConfig, "max_auth_failures_per_ip" | "max_auth_penalty">;

/** Milliseconds of the first refusal; each further one is twice as long. */
const FIRST = 1_000;
/** Networks that are remembered; the one heard of longest ago is forgotten for a new one. */
const MOST_NETWORKS = 4_096;
/** Milliseconds after which a network that did not try again is forgotten. */
const MEMORY = 15 * 60_000;

interface Offender {
  /** In a row, those not counted that were under way when it was refused. */
  failures: number;
  /** Until when it is refused. */
  until: number;
}

/**
 * Counts failures to authenticate by network, as `sourceNetwork` names it.
 *
 * Attempts that come while a network is refused change nothing, so that whoever goes on trying
 * waits no longer than who does not, and each refusal leads to one twice as long only by another
 * failure after it.
 */
export class Penalties {
  readonly #limits: () => PenaltyLimits;
  readonly #clock: Clock;
  readonly #offenders = new ExpiringMap<string, Offender>(MOST_NETWORKS);

  /** Takes the limits at any moment. */
  constructor(limits: () => PenaltyLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Networks that are remembered. */
  get size(): number {
    return this.#offenders.size;
  }

  /** A client of that network failed to authenticate. */
  failed(network: string): void {
    const now = this.#clock.now();
    this.#offenders.expire(MEMORY, now);
    let offender = this.#offenders.use(network, now);
    if (offender === undefined) {
      offender = { failures: 0, until: 0 };
      this.#offenders.add(network, offender, now);
    }
    if (now < offender.until) return;
    offender.failures++;
    const { max_auth_failures_per_ip: free, max_auth_penalty: longest } = this.#limits();
    if (offender.failures < free) return;
    // Beyond 2^40 every sum is longer than the longest.
    const penalty = FIRST * 2 ** Math.min(40, offender.failures - free);
    offender.until = now + Math.min(longest * 1000, penalty);
  }

  /** A client of that network has authenticated: all is forgiven. */
  succeeded(network: string): void {
    this.#offenders.delete(network);
  }

  /** Forgives everybody: what they failed with may be right by now. */
  forgive(): void {
    this.#offenders.clear();
  }

  /** Why clients of that network are refused at this moment, or null. */
  refusal(network: string): string | null {
    if (this.#offenders.size === 0) return null;
    const now = this.#clock.now();
    const offender = this.#offenders.use(network, now);
    if (offender === undefined || now >= offender.until) return null;
    const left = Math.ceil((offender.until - now) / 1000);
    return `clients at this address failed to authenticate ${offender.failures} times in a row; ` +
      `refused for ${left} s`;
  }
}
