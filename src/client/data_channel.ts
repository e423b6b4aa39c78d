/**
 * A data channel's life on the client's side: dialled because the server asked, idle until a
 * visitor is paired with it, then handed to the service's forwarder.
 *
 * @module
 */

import type { Stream } from "../carrier/stream.ts";
import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import {
  decodeDataCommand,
  decodeStreamNumber,
  encodeHello,
  type ForwardCommand,
  TAG_LENGTH,
} from "../protocol/messages.ts";
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

/** What dialling needs to know. */
export interface DialOptions {
  /** The way that the control channel took. */
  readonly route: Route;
  /** The IP address that the control channel goes to, if it may be dialled by that. */
  readonly at: Address | undefined;
  /** `TCP_NODELAY` of the connection. */
  readonly nodelay: boolean;
  /** What it is, for messages. */
  readonly what: string;
  /** What it shares with the others. */
  readonly context: ClientContext;
}

/** What a data channel needs to know. */
export interface DataChannelOptions extends DialOptions {
  /** The service's name. */
  readonly service: string;
  /** What the server recognises the session by: 32 bytes. */
  readonly key: Uint8Array;
  /** Takes over once there is a visitor. */
  readonly forwarder: Forwarder;
  /** The stream of this number, on a carrier of the session. */
  stream(id: number): Stream | undefined;
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
    connection = await dialServer(options, session);
  } catch (error) {
    if (session.aborted) return;
    context.journal.record({ type: "data-channel-failed", service, reason: explain(error) });
    return;
  }
  const forgetChannels = channels.onAbort((reason) => connection.abort(reason));
  try {
    const moved = await awaitVisitor(connection, options);
    if (moved !== undefined) return moved.moveTo({ connection });
  } catch (error) {
    connection.abort(error);
    // A server that retires an idle channel, or goes, is no trouble by itself.
    context.journal.trace("Data channel closed unused", { service, reason: explain(error) });
    return;
  } finally {
    forgetChannels();
  }
  serveVisitor(forwarder, connection);
}

/** Has a forwarder see a visitor through, who may outlive the session; `over` hears of the end. */
export function serveVisitor(
  forwarder: Forwarder,
  connection: Connection,
  over?: () => void,
): void {
  const { owner } = forwarder;
  if (owner.aborted) {
    over?.();
    return connection.abort(owner.signal.reason);
  }
  owner.run(async () => {
    const forget = owner.onAbort((reason) => connection.abort(reason));
    try {
      await forwarder.forward(connection);
    } finally {
      forget();
      connection.abort();
      over?.();
    }
  });
}

/** Says what is wrong where a server has a service forward what it does not carry. */
export function refuseType(
  { journal }: Pick<ClientContext, "journal">,
  service: string,
  command: ForwardCommand,
): RatholeError {
  const there = command === "forward-tcp" ? "tcp" : "udp";
  const message = `service "${service}" has type = "${there}" at the server; make both ends alike`;
  journal.record({ type: "data-channel-failed", service, reason: message });
  return new RatholeError("protocol", message);
}

/** Waits for the server to use the channel: for a visitor, or for the stream that comes back. */
async function awaitVisitor(
  connection: Connection,
  options: DataChannelOptions,
): Promise<Stream | undefined> {
  await connection.write(encodeHello({ kind: "data", digest: options.key }));
  const command = decodeDataCommand(await readExact(connection, TAG_LENGTH));
  const { context, forwarder, service } = options;
  if (command === forwarder.command) return undefined;
  if (command === "continue") {
    const stream = options.stream(decodeStreamNumber(await readExact(connection, TAG_LENGTH)));
    if (stream === undefined) throw new RatholeError("closed", "the stream has ended meanwhile");
    return stream;
  }
  throw refuseType(context, service, command);
}

/**
 * Dials the server until it succeeds, the time is up, or the session ends.
 *
 * @throws {RatholeError}
 */
export async function dialServer(options: DialOptions, scope: Scope): Promise<Connection> {
  const { clock } = options.context;
  const { server, transport } = options.route;
  const end = clock.now() + DIAL_TIMEOUT;
  const backoff = new Backoff(LONGEST_PAUSE);
  for (;;) {
    try {
      const timeout = Math.max(1, end - clock.now());
      return await within(
        { clock, scope, timeout, what: `opening ${options.what}` },
        (signal) => transport.connect(server, { nodelay: options.nodelay, at: options.at, signal }),
      );
    } catch (error) {
      const pause = backoff.next();
      if (scope.aborted || !isRetriable(error) || clock.now() + pause >= end) throw error;
      await sleep(clock, pause, scope.signal);
    }
  }
}
