/**
 * The way to the server.
 *
 * @module
 */

import { transportChange } from "../config/transport_change.ts";
import type { ClientConfig } from "../config/types.ts";
import type { BufferStore } from "../net/buffers.ts";
import { type Address, configuredAddress } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import { recordIn } from "../transport/journal.ts";
import { openTransport } from "../transport/open.ts";
import type { Transport } from "../transport/transport.ts";
import type { ClientJournal } from "./journal.ts";

/**
 * Where the server is and how it is spoken to. Replaced as a whole, so that a session and its data
 * channels, which must take the same way, cannot mix two.
 */
export interface Route {
  /** The server's address. */
  readonly server: Address;
  /** How to reach it. */
  readonly transport: Transport;
}

/** What a route is made with. */
export interface RouteParts {
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
  /** Times what the transport does by itself. */
  readonly clock: Clock;
  /** Hears of what happens between connections. */
  readonly journal: ClientJournal;
}

/** The way that a configuration describes. @throws {RatholeError} what `openTransport` throws */
export async function openRoute(config: ClientConfig, parts: RouteParts): Promise<Route> {
  const { buffers, clock, journal } = parts;
  const prefer = config.prefer_ipv6 ? "ipv6" : "any";
  const events = recordIn(journal);
  const transport = await openTransport("client", config.transport, {
    buffers,
    clock,
    prefer,
    events,
  });
  return { server: configuredAddress(config.remote_addr), transport };
}

/** Whether two configurations take the same way; settings of transports not in use do not count. */
export function isSameRoute(before: ClientConfig, after: ClientConfig): boolean {
  return before.remote_addr === after.remote_addr && before.prefer_ipv6 === after.prefer_ipv6 &&
    transportChange(before.transport, after.transport) === "none";
}
