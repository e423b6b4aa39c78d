/**
 * A data channel's life on the client's side: dialled because the server asked, idle until a
 * visitor is paired with it, then handed to the service's forwarder.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import { decodeDataCommand, encodeHello, TAG_LENGTH } from "../protocol/messages.ts";
import type { Address } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain, isRetriable, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { within } from "../runtime/within.ts";
import type { ClientContext } from "./context.ts";
import type { Forwarder } from "./forwarder.ts";
import type { Route } from "./route.ts";

/** Milliseconds for which dialling is tried, as rathole 0.5.0 does. */
const DIAL_TIMEOUT = 10_000;
/** The longest pause between two tries, in milliseconds. */
const LONGEST_PAUSE = 2_000;

/** What a data channel needs to know. */
export interface DataChannelOptions {
  /** The service's name. */
  readonly service: string;
  /** The way that the control channel took. */
  readonly route: Route;
  /** The IP address that the control channel goes to, if it may be dialled by that. */
  readonly at: Address | undefined;
  /** What the server recognises the session by: 32 bytes. */
  readonly key: Uint8Array;
  /** `TCP_NODELAY` of this service's data channels. */
  readonly nodelay: boolean;
  /** Takes over once there is a visitor. */
  readonly forwarder: Forwarder;
  /** What it shares with the others. */
  readonly context: ClientContext;
}

/**
 * Opens a channel while the session lasts, and waits, for as long as `channels` lasts, for the server
 * to use it; what follows belongs to the forwarder and outlives both. Never rejects.
 */
export async function openDataChannel(
  options: DataChannelOptions,
  session: Scope,
  channels: Scope,
): Promise<void> {
  const { context, forwarder, service } = options;
  let connection: Connection;
  try {
    connection = await dial(options, session);
  } catch (error) {
    if (session.aborted) return;
    context.journal.record({ type: "data-channel-failed", service, reason: explain(error) });
    return;
  }
  const forgetChannels = channels.onAbort((reason) => connection.abort(reason));
  try {
    await awaitVisitor(connection, options);
  } catch (error) {
    connection.abort(error);
    // A server that retires an idle channel, or goes, is no trouble by itself.
    context.journal.trace("Data channel closed unused", { service, reason: explain(error) });
    return;
  } finally {
    forgetChannels();
  }
  const { owner } = forwarder;
  owner.run(async () => {
    const forget = owner.onAbort((reason) => connection.abort(reason));
    try {
      await forwarder.forward(connection);
    } finally {
      forget();
      connection.abort();
    }
  });
}

async function awaitVisitor(connection: Connection, options: DataChannelOptions): Promise<void> {
  await connection.write(encodeHello({ kind: "data", digest: options.key }));
  const command = decodeDataCommand(await readExact(connection, TAG_LENGTH));
  const { forwarder, service } = options;
  if (command === forwarder.command) return;
  const there = command === "forward-tcp" ? "tcp" : "udp";
  const message = `service "${service}" has type = "${there}" at the server; make both ends alike`;
  const { journal } = options.context;
  journal.record({ type: "data-channel-failed", service, reason: message });
  throw new RatholeError("protocol", message);
}

/** Dials until it succeeds, the time is up, or the session ends. */
async function dial(options: DataChannelOptions, scope: Scope): Promise<Connection> {
  const { clock } = options.context;
  const { server, transport } = options.route;
  const end = clock.now() + DIAL_TIMEOUT;
  const backoff = new Backoff(LONGEST_PAUSE);
  for (;;) {
    try {
      const timeout = Math.max(1, end - clock.now());
      return await within(
        { clock, scope, timeout, what: "opening a data channel" },
        (signal) => transport.connect(server, { nodelay: options.nodelay, at: options.at, signal }),
      );
    } catch (error) {
      const pause = backoff.next();
      if (scope.aborted || !isRetriable(error) || clock.now() + pause >= end) throw error;
      await sleep(clock, pause, scope.signal);
    }
  }
}
