/**
 * From nothing to a session: connect, be let in.
 *
 * @module
 */

import type { CarrierCounters } from "../carrier/counters.ts";
import type { ClientServiceConfig } from "../config/types.ts";
import { mayUse } from "../net/permission.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Secret } from "../runtime/secret.ts";
import type { ClientContext } from "./context.ts";
import { Carriers } from "./carriers.ts";
import { dialServer, openDataChannel } from "./data_channel.ts";
import type { Forwarder } from "./forwarder.ts";
import { introduce } from "./handshake.ts";
import type { Route } from "./route.ts";
import { Session } from "./session.ts";

/** A heartbeat of ours takes this share of the time after which we give a silent server up. */
const HEARTBEAT_SHARE = 3 / 4;

/** For which service, and how. */
export interface SessionTerms {
  /** The service's name. */
  readonly service: string;
  /** What proves to the server that this client may offer it. */
  readonly token: Secret;
  /** The way that the control channel and all its data channels take. */
  readonly route: Route;
  /** The service's configuration at this moment. */
  config(): ClientServiceConfig;
  /** Takes data channels over once there is a visitor. */
  readonly forwarder: Forwarder;
  /** What its carriers count. */
  readonly carrierCounters: CarrierCounters;
  /** What it shares with the others. */
  readonly context: ClientContext;
}

/** What a session's parts belong to. */
export interface SessionScopes {
  /** The control channel. */
  readonly session: Scope;
  /** Data channels that wait for a visitor. */
  readonly channels: Scope;
}

/** Asks the server to be let in. @throws {RatholeError} when it was not, or the signal came first */
export async function openSession(
  terms: SessionTerms,
  { session, channels }: SessionScopes,
  signal: AbortSignal,
): Promise<Session> {
  const { context, forwarder, route, service } = terms;
  const connection = await route.transport.connect(route.server, { nodelay: true, signal });
  const abort = () => connection.abort(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    // The time may have been up, or the client stopped, just as the connection was opened.
    signal.throwIfAborted();
    const { key, extended } = await introduce(connection, service, terms.token);
    // A name with several addresses, or one that changes, must not lead to another server.
    const at = mayUse(connection.peer) ? connection.peer : undefined;
    const { carriers: wanted, heartbeat_timeout } = context.config;
    const heartbeatTimeout = heartbeat_timeout * 1000;
    const heartbeatInterval = Math.round(heartbeatTimeout * HEARTBEAT_SHARE);
    const carriers = new Carriers({
      service,
      key,
      wanted,
      quiet: heartbeatInterval,
      forwarder,
      session,
      counters: terms.carrierCounters,
      context,
      dial: () => dialServer({ at, route, nodelay: true, what: "a carrier", context }, session),
    });
    const stream = (id: number) => carriers.stream(id);
    const what = "a data channel";
    const channel = { service, at, key, route, what, forwarder, context, stream };
    return new Session({
      connection,
      extended,
      heartbeatTimeout,
      heartbeatInterval,
      carriers: wanted,
      welcome: (count) => carriers.welcome(count),
      scope: session,
      channels,
      clock: context.clock,
      open: () => {
        const { nodelay } = terms.config();
        return openDataChannel({ ...channel, nodelay }, session, channels);
      },
    });
  } catch (error) {
    connection.abort(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
