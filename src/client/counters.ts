/**
 * What a service counts on the client's side. Plain numbers, read when somebody asks.
 *
 * @module
 */

import type { PumpCounters } from "../net/pump.ts";

/** Counters of one service since the client started. */
export interface ForwardCounters extends PumpCounters {
  /** Visitors that are connected (TCP) or remembered (UDP). */
  visitors: number;
  /** Visitors that ever came. */
  visitorsTotal: number;
  /** Visitors for whom the service could not be reached. */
  visitorsFailed: number;
  /** Datagrams that could not be passed on, in either direction. */
  datagramsDropped: number;
}

/** Counters at zero. */
export function zeroCounters(): ForwardCounters {
  return {
    forward: { bytes: 0 },
    backward: { bytes: 0 },
    visitors: 0,
    visitorsTotal: 0,
    visitorsFailed: 0,
    datagramsDropped: 0,
  };
}
