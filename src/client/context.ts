/**
 * What the parts of one client share.
 *
 * @module
 */

import type { ClientConfig } from "../config/types.ts";
import type { Address } from "../runtime/address.ts";
import type { BufferStore } from "../net/buffers.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Transport } from "../transport/transport.ts";
import type { ClientJournal } from "./journal.ts";

/** What the parts of one client share. */
export interface ClientContext {
  /** The configuration. */
  readonly config: ClientConfig;
  /** The server's address. */
  readonly server: Address;
  /** How to reach it. */
  readonly transport: Transport;
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
  /** Times everything. */
  readonly clock: Clock;
  /** Hears of everything. */
  readonly journal: ClientJournal;
  /** Owns control channels and idle data channels: left first when the client stops. */
  readonly intake: Scope;
  /** Owns visitors' streams: they may outlive their session, and finish while draining. */
  readonly streams: Scope;
}
