/**
 * How a service's visitors come in, whatever the service carries.
 *
 * @module
 */

import type { ServerServiceConfig } from "../config/types.ts";
import type { Address } from "../runtime/address.ts";
import type { ServerContext } from "./context.ts";
import type { ServiceCounters } from "./counters.ts";
import type { Session } from "./session.ts";

/** Lets visitors in as long as its scope is not left. */
export interface Front {
  /** Where visitors connect; a port of 0 has become a real one. */
  readonly address: Address;
  /** Has a session's data channels serve the visitors from now on. */
  serve(session: Session): void;
}

/** What a front needs to know. */
export interface FrontOptions {
  /** The service's name. */
  readonly name: string;
  /** What to count. */
  readonly counters: ServiceCounters;
  /** What it shares with the others. */
  readonly context: ServerContext;
  /** The service's configuration at this moment. */
  config(): ServerServiceConfig;
  /** Who offers the service at this moment. */
  session(): Session | undefined;
}
