/**
 * What a service counts. Plain numbers, read when somebody asks.
 *
 * @module
 */

import type { PumpCounters } from "../net/pump.ts";

/** Counters of one service since the server started. */
export interface ServiceCounters extends PumpCounters {
  /** Visitors that are connected (TCP) or remembered (UDP). */
  visitors: number;
  /** Visitors that ever came. */
  visitorsTotal: number;
  /** Visitors that were turned away. */
  visitorsRefused: number;
  /** Datagrams that could not be passed on, in either direction. */
  datagramsDropped: number;
}

/** Counters at zero. */
export function zeroCounters(): ServiceCounters {
  return {
    forward: { bytes: 0 },
    backward: { bytes: 0 },
    visitors: 0,
    visitorsTotal: 0,
    visitorsRefused: 0,
    datagramsDropped: 0,
  };
}
