/**
 * What the carriers of a service count.
 *
 * @module
 */

/** The carriers of a service at one moment. */
export interface CarrierStatus {
  /** Carriers that are open. */
  readonly open: number;
  /** Visitors' streams that are on them. */
  readonly streams: number;
  /** Streams that ever were. */
  readonly streamsTotal: number;
  /** Streams that went on to a data channel of their own. */
  readonly moved: number;
  /** How often a stream had bytes to send, and the other end had to take some first. */
  readonly stalls: number;
  /** Bytes that wait: for whoever reads them, for the other end, or for the carrier. */
  readonly queuedBytes: number;
}

/** What is asked of a carrier. */
export interface Countable {
  /** Streams that are on it. */
  readonly streams: number;
  /** Bytes that wait. */
  readonly queued: number;
}

/** Counts for all carriers of one service since the start: plain numbers. */
export class CarrierCounters {
  /** Streams that were ever opened. */
  opened = 0;
  /** Streams that went on to a data channel of their own. */
  moved = 0;
  /** How often a stream had bytes to send and no credit for them. */
  stalls = 0;
  /** The carriers that are open. */
  readonly carriers: Set<Countable> = new Set<Countable>();

  /** What there is to tell. */
  status(): CarrierStatus {
    let [streams, queuedBytes] = [0, 0];
    for (const carrier of this.carriers) {
      streams += carrier.streams;
      queuedBytes += carrier.queued;
    }
    const { carriers, moved, opened, stalls } = this;
    return { open: carriers.size, streams, streamsTotal: opened, moved, stalls, queuedBytes };
  }
}
