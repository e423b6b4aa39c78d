/**
 * What the carriers of a service count. Plain numbers, read when somebody asks.
 *
 * @module
 */

/** Counters of one service's carriers since the start. */
export interface CarrierCounters {
  /** Streams that were ever opened. */
  opened: number;
  /** Streams that went on to a data channel of their own. */
  moved: number;
  /** How often a stream had bytes to send and no credit for them. */
  stalls: number;
}

/** Counters at zero. */
export function zeroCarrierCounters(): CarrierCounters {
  return { opened: 0, moved: 0, stalls: 0 };
}
