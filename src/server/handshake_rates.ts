/**
 * How often clients of one network may begin a handshake.
 *
 * @module
 */

import { ExpiringMap } from "../net/expiring_map.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Rate, TokenBucket } from "./token_bucket.ts";

/** Handshakes at once, as a multiple of those a second. */
const BURST_SECONDS = 10;
/** Networks that are remembered; the one that came longest ago is forgotten for a new one. */
const MOST_NETWORKS = 16_384;

/** A rate for each network, as `sourceNetwork` names it. */
export class HandshakeRates {
  readonly #perSecond: () => number;
  readonly #clock: Clock;
  readonly #buckets = new ExpiringMap<string, TokenBucket>(MOST_NETWORKS);

  /** Takes how many a second at any moment. */
  constructor(perSecond: () => number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Networks that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Whether one more handshake may begin; if so it has. */
  take(network: string): boolean {
    const now = this.#clock.now();
    const rate = this.#rate();
    // By then they are as good as new.
    this.#buckets.expire(BURST_SECONDS * 1000 + 1000, now);
    let bucket = this.#buckets.use(network, now);
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, now);
      this.#buckets.add(network, bucket, now);
    }
    return bucket.take(rate, now);
  }

  /** One that began was asked for by the server itself, and does not count. */
  giveBack(network: string): void {
    this.#buckets.use(network, this.#clock.now())?.giveBack();
  }

  #rate(): Rate {
    const perSecond = this.#perSecond();
    return { perSecond, burst: perSecond * BURST_SECONDS };
  }
}
