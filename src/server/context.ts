/**
 * What the parts of one server share.
 *
 * @module
 */

import type { ServerConfig } from "../config/types.ts";
import type { BufferStore } from "../net/buffers.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Admission } from "./admission.ts";
import type { ServerJournal } from "./journal.ts";
import type { Growth } from "./reserve.ts";

/** What the parts of one server share. */
export interface ServerContext {
  /** The configuration at this moment. */
  readonly config: ServerConfig;
  /** Where large read buffers come from. */
  readonly buffers: BufferStore;
  /** Times everything. */
  readonly clock: Clock;
  /** Hears of everything. */
  readonly journal: ServerJournal;
  /** Bounds what strangers can make the server hold. */
  readonly admission: Admission;
  /** By how much all reserves of data channels may grow. */
  readonly growth: Growth;
  /** Owns everything that brings in something new: left first when the server stops. */
  readonly intake: Scope;
  /** Owns visitors' streams: they may outlive their session, and finish while draining. */
  readonly streams: Scope;
  /** Owns the connections that streams share: with the streams, and not counted among them. */
  readonly carriers: Scope;
}
