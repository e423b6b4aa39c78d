/**
 * What the parts of one client share.
 *
 * @module
 */

import type { ClientConfig } from "../config/types.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Route, RouteParts } from "./route.ts";

/** What the parts of one client share. */
export interface ClientContext extends RouteParts {
  /** The configuration at this moment: an update replaces it. */
  readonly config: ClientConfig;
  /** The way to the server at this moment. */
  readonly route: Route;
  /** Owns control channels and idle data channels: left first when the client stops. */
  readonly intake: Scope;
  /** Owns visitors' streams: they may outlive their session, and finish while draining. */
  readonly streams: Scope;
  /** Owns the connections that streams share: with the streams, and not counted among them. */
  readonly carriers: Scope;
}
