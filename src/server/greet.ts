/**
 * From an accepted connection to what it turns out to be: a control channel, a data channel, or
 * somebody who is sent away.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { Hello } from "../protocol/messages.ts";
import type { Address } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
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
 * and serves a control channel until its end. Never rejects for anything a peer does.
 */
export async function greet(
  incoming: Incoming,
  ticket: Ticket,
  context: ServerContext,
  registry: Registry,
): Promise<void> {
  const { clock, config, intake, journal } = context;
  const end = (reason: unknown) => incoming.abort(reason);
  const forget = intake.onAbort(end);
  const deadline = clock.after(config.handshake_timeout * 1000, () => {
    const message = `nothing valid came within handshake_timeout = ${config.handshake_timeout} s`;
    end(new RatholeError("timeout", message));
  });
  let outcome: Outcome;
  try {
    const connection = await incoming.handshake();
    const hello = await readHello(connection);
    outcome = hello.kind === "control"
      ? await openSession(connection, hello, incoming.peer, context, registry)
      : joinSession(connection, hello, ticket, registry);
  } catch (error) {
    end(error);
    ticket.leave();
    if (!intake.aborted) {
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

async function openSession(
  connection: Connection,
  hello: Hello,
  via: Address,
  context: ServerContext,
  registry: Registry,
): Promise<Outcome> {
  const service = registry.serviceOf(hello.digest);
  const key = await authenticate(connection, service);
  if (service === undefined) throw new RatholeError("service", "no such service");
  const session = new Session({
    connection,
    via,
    key,
    heartbeatInterval: context.config.heartbeat_interval * 1000,
    poolTarget: service.reserve,
    poolLimit: context.config.max_data_channels,
    scope: context.intake.child(),
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
    throw new RatholeError("auth", "a data channel of a session that is unknown or over");
  }
  if (!session.pool.offer(connection, ticket.leave)) {
    throw new RatholeError("limit", "more data channels than the server has use for");
  }
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
