/**
 * What a server says about itself when asked.
 *
 * @module
 */

import type { CarrierStatus } from "../carrier/counters.ts";
import type { ServiceType } from "../config/types.ts";
import type { Address } from "../runtime/address.ts";
import type { LifecycleState } from "../runtime/lifecycle.ts";
import type { Service } from "./service.ts";

/** A server at one moment. */
export interface ServerStatus {
  /** Whether it takes anything new. */
  readonly state: LifecycleState;
  /** Where clients connect; a port of 0 has become a real one. */
  readonly address: Address;
  /** Accepted connections that are open, of clients and visitors. */
  readonly connections: number;
  /** Those among them that have not authenticated yet. */
  readonly pendingHandshakes: number;
  /** Visitors' streams that are open. */
  readonly streams: number;
  /** Every configured service, in the order of the configuration. */
  readonly services: readonly ServerServiceStatus[];
}

/** A service on the server's side at one moment. Byte counts are payload since the start. */
export interface ServerServiceStatus {
  /** Its name. */
  readonly name: string;
  /** What it carries. */
  readonly type: ServiceType;
  /** The client that offers it; undefined while none does. */
  readonly client: Address | undefined;
  /** Where visitors connect; undefined while they cannot. */
  readonly address: Address | undefined;
  /** Data channels that wait for visitors. */
  readonly dataChannelsIdle: number;
  /** Data channels that carry visitors. */
  readonly dataChannelsInUse: number;
  /** Visitors that are connected (TCP) or remembered (UDP). */
  readonly visitors: number;
  /** Visitors that ever came. */
  readonly visitorsTotal: number;
  /** Visitors that were turned away. */
  readonly visitorsRefused: number;
  /** Bytes from visitors to the service. */
  readonly bytesFromVisitors: number;
  /** Bytes from the service to visitors. */
  readonly bytesToVisitors: number;
  /** Datagrams that could not be passed on, in either direction. */
  readonly datagramsDropped: number;
  /** Connections that its visitors share. */
  readonly carriers: CarrierStatus;
}

/** A service's counters as they stand. */
export function serviceStatus(service: Service): ServerServiceStatus {
  const { counters, session } = service;
  return {
    name: service.name,
    type: service.config.type,
    client: session?.peer,
    address: service.address,
    dataChannelsIdle: session?.pool.idle ?? 0,
    dataChannelsInUse: session?.pool.inUse ?? 0,
    visitors: counters.visitors,
    visitorsTotal: counters.visitorsTotal,
    visitorsRefused: counters.visitorsRefused,
    bytesFromVisitors: counters.forward.bytes,
    bytesToVisitors: counters.backward.bytes,
    datagramsDropped: counters.datagramsDropped,
    carriers: service.carrierCounters.status(),
  };
}
