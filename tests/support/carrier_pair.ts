/**
 * Two carriers that face each other.
 *
 * @module
 */

import { Carrier, type CarrierOptions } from "../../src/carrier/carrier.ts";
import { CarrierCounters } from "../../src/carrier/counters.ts";
import type { Stream } from "../../src/carrier/stream.ts";
import { BufferStore } from "../../src/net/buffers.ts";
import type { Connection } from "../../src/net/connection.ts";
import { FakeClock } from "./fake_clock.ts";
import type { Scope } from "../../src/runtime/scope.ts";
import type { SessionCarriers } from "../../src/server/session.ts";
import { follow, type Progress } from "./turns.ts";

/** What a session needs to have so many carriers. */
export function sessionCarriers(owner: Scope, most = 0): SessionCarriers {
  return {
    owner,
    buffers: new BufferStore(),
    counters: new CarrierCounters(),
    events: { opened() {}, lost() {} },
    most: () => most,
    nodelay: () => true,
  };
}

/** One end of a carrier. */
export interface CarrierEnd {
  readonly carrier: Carrier;
  readonly counters: CarrierCounters;
  /** How its run fares; its value is why it ended. */
  readonly over: () => Progress<unknown>;
}

/** A server's end and a client's, and the streams that the client was given, in order. */
export interface CarrierPair {
  readonly server: CarrierEnd;
  readonly client: CarrierEnd;
  readonly accepted: Stream[];
  /** Opens a stream; at the client it is the next of `accepted`. */
  begin(): Stream;
}

/** Puts a carrier on each of two connected connections, and runs both. */
export function carrierPair(
  [near, far]: readonly [Connection, Connection],
  options: Partial<CarrierOptions> = {},
): CarrierPair {
  const accepted: Stream[] = [];
  const shared = { buffers: new BufferStore(), clock: new FakeClock(), quiet: 0, ...options };
  const end = (own: Pick<CarrierOptions, "connection" | "accept" | "bulky">): CarrierEnd => {
    const counters = new CarrierCounters();
    const carrier = new Carrier({ ...shared, counters, ...own });
    return { carrier, counters, over: follow(carrier.run()) };
  };
  const server = end({ connection: near });
  const client = end({ connection: far, accept: (stream) => void accepted.push(stream) });
  let last = 0;
  return {
    server,
    client,
    accepted,
    begin: () => server.carrier.begin(++last, "forward-tcp"),
  };
}
