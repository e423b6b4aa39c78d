/**
 * What serves a data channel once a visitor is at its other end.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { ForwardCommand } from "../protocol/messages.ts";
import type { Address } from "../runtime/address.ts";
import type { Scope } from "../runtime/scope.ts";
import type { ClientContext } from "./context.ts";
import type { ForwardCounters } from "./counters.ts";

/** Forwards one service's data channels to the service itself. */
export interface Forwarder {
  /** What a server must say on a data channel of this service. */
  readonly command: ForwardCommand;
  /** What its channels belong to once they carry visitors. */
  readonly owner: Scope;
  /** Sees a channel through to its end. Never rejects for what a peer or the service does. */
  forward(channel: Connection): Promise<void>;
}

/** What a forwarder needs to know. */
export interface ForwarderOptions {
  /** The service's name. */
  readonly name: string;
  /** Where the service itself listens at this moment; the same object until that changes. */
  local(): Address;
  /** What to count. */
  readonly counters: ForwardCounters;
  /** Left when the service is not configured any more, and when the client stops. */
  readonly scope: Scope;
  /** What it shares with the others. */
  readonly context: ClientContext;
}
