/**
 * From an accepted connection to what it turns out to be: a control channel, a data channel, or
 * somebody who is sent away.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { Hello } from "../protocol/messages.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Incoming } from "../transport/transport.ts";
import type { Ticket } from "./admission.ts";
import type { ServerContext } from "./context.ts";
import { authenticate, readHello } from "./handshake.ts";
import type { Registry } from "./registry.ts";
import type { Service } from "./service.ts";
import { Session } from "./session.ts";

/** What came of a handshake. */
type Outcome =
  | { readonly kind: "control"; readonly service: Service; readonly session: Session }
  | { readonly kind: "data" };

/**
 * Gives a connection `handshake_timeout` to say what it is, all of its handshake taken together,
 * and serves a control channel until its end. Leaving the scope ends it.
 * Never rejects for anything a peer does.
 */
export async function greet(
  incoming: Incoming,
  ticket: Ticket,
  scope: Scope,
  context: ServerContext,
  registry: Registry,
): Promise<void> {
  const { clock, config, journal } = context;
  const end = (reason: unknown) => incoming.abort(reason);
  const forget = scope.onAbort(end);
  const deadline = clock.after(config.handshake_timeout * 1000, () => {
    const message = `nothing valid came within handshake_timeout = ${config.handshake_timeout} s`;
    end(new RatholeError("timeout", message));
  });
  let outcome: Outcome;
  try {
    const connection = await incoming.handshake();
    refusePunished(connection, incoming, context);
    const hello = await readHello(connection);
    outcome = hello.kind === "control"
      ? await openSession(connection, hello, incoming.peer, scope, context, registry)
      : joinSession(connection, hello, ticket, registry);
  } catch (error) {
    end(error);
    ticket.leave();
    if (!scope.aborted) {
      const { peer } = incoming;
      journal.record({ type: "handshake-failed", peer, reason: explain(error) });
    }
    return;
  } finally {
    deadline.cancel();
    forget();
    ticket.settle();
  }
  if (outcome.kind === "control") await serve(outcome.service, outcome.session, ticket, registry);
}

/** A client that a trusted proxy has named was let in as the proxy, which pays for nobody. */
function refusePunished(connection: Connection, incoming: Incoming, context: ServerContext): void {
  const network = sourceNetwork(connection.peer.hostname);
  if (network === sourceNetwork(incoming.peer.hostname)) return;
  const refusal = context.admission.refusal(network);
  if (refusal !== null) throw new RatholeError("limit", refusal);
}

/**
 * Whether a client was told no. A data channel of an unknown session is another matter: honest
 * clients open some while their session ends, and nobody guesses 32 random bytes.
 */
function isRefusal(error: unknown): boolean {
  return error instanceof RatholeError && (error.code === "auth" || error.code === "service");
}

async function openSession(
  connection: Connection,
  hello: Hello,
  via: Address,
  scope: Scope,
  context: ServerContext,
  registry: Registry,
): Promise<Outcome> {
  const service = registry.serviceOf(hello.digest);
  const token = service?.token;
  const { penalties } = context.admission;
  const network = sourceNetwork(connection.peer.hostname);
  const key = await authenticate(connection, service).catch((error) => {
    if (isRefusal(error)) penalties.failed(network);
    throw error;
  });
  penalties.succeeded(network);
  if (service === undefined) throw new RatholeError("service", "no such service");
  if (service.token !== token || service.removed) {
    throw new RatholeError("auth", "the configuration changed meanwhile");
  }
  const session = new Session({
    connection,
    via,
    key,
    heartbeatInterval: () => context.config.heartbeat_interval * 1000,
    received: () => service.counters.backward.bytes,
    reserve: service.reserve,
    poolLimit: context.config.max_data_channels,
    carriers: service.carriers(connection.peer),
    scope: scope.child(),
    clock: context.clock,
  });
  return { kind: "control", service, session };
}

function joinSession(
  connection: Connection,
  hello: Hello,
  ticket: Ticket,
  registry: Registry,
): Outcome {
  const session = registry.sessionOf(hello.digest);
  if (session === undefined || session.scope.aborted) {
    throw new RatholeError("auth", `a ${hello.kind} channel of a session that is unknown or over`);
  }
  if (hello.kind === "carrier") {
    if (!session.carriers.join(connection, ticket.leave)) {
      throw new RatholeError("limit", "more carriers than the server has use for");
    }
  } else if (!session.pool.offer(connection, ticket.leave)) {
    throw new RatholeError("limit", "more data channels than the server has use for");
  }
  ticket.join();
  return { kind: "data" };
}

async function serve(
  service: Service,
  session: Session,
  ticket: Ticket,
  registry: Registry,
): Promise<void> {
  registry.addSession(session);
  try {
    await service.offerThrough(session);
  } finally {
    registry.deleteSession(session);
    session.end(undefined);
    await session.scope.join();
    ticket.leave();
  }
}
