/**
 * What a client says about itself when asked.
 *
 * @module
 */

import type { CarrierStatus } from "../carrier/counters.ts";
import type { ServiceType } from "../config/types.ts";
import type { Address } from "../runtime/address.ts";
import type { LifecycleState } from "../runtime/lifecycle.ts";
import type { ServiceState } from "./offer.ts";
import type { Service } from "./service.ts";

/** A client at one moment. */
export interface ClientStatus {
  /** Whether it takes anything new. */
  readonly state: LifecycleState;
  /** The server, as configured. */
  readonly server: Address;
  /** Visitors' streams that are open. */
  readonly streams: number;
  /** Every configured service, in the order of the configuration. */
  readonly services: readonly ClientServiceStatus[];
}

/** A service on the client's side at one moment. Byte counts are payload since the start. */
export interface ClientServiceStatus {
  /** Its name. */
  readonly name: string;
  /** What it carries. */
  readonly type: ServiceType;
  /** Where it stands with the server. */
  readonly state: ServiceState;
  /** Why it was last lost or refused. */
  readonly lastError: string | undefined;
  /** Where the service itself listens, as configured. */
  readonly localAddress: string;
  /** Visitors that are connected (TCP) or remembered (UDP). */
  readonly visitors: number;
  /** Visitors that ever came. */
  readonly visitorsTotal: number;
  /** Visitors for whom the service could not be reached. */
  readonly visitorsFailed: number;
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
export function serviceStatus(service: Service): ClientServiceStatus {
  const { counters } = service;
  return {
    name: service.name,
    type: service.config.type,
    state: service.state,
    lastError: service.lastError,
    localAddress: service.config.local_addr,
    visitors: counters.visitors,
    visitorsTotal: counters.visitorsTotal,
    visitorsFailed: counters.visitorsFailed,
    bytesFromVisitors: counters.forward.bytes,
    bytesToVisitors: counters.backward.bytes,
    datagramsDropped: counters.datagramsDropped,
    carriers: service.carrierCounters.status(),
  };
}
