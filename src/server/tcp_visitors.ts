/**
 * Visitors of a TCP service: each is paired with a data channel, and then bytes flow.
 *
 * @module
 */

import { pump } from "../net/pump.ts";
import { type TcpConnection, TcpListener } from "../net/tcp.ts";
import { encodeDataCommand } from "../protocol/messages.ts";
import type { Address } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { acceptAt } from "./accept.ts";
import type { DataChannel } from "./pool.ts";
import type { Front, FrontOptions } from "./front.ts";

const FORWARD = encodeDataCommand("forward-tcp");

/** Listens for a TCP service's visitors while a client is there. */
export class TcpVisitors implements Front {
  readonly address: Address;
  readonly #options: FrontOptions;

  /** Listens from now on, until the scope is left. @throws {RatholeError} as `TcpListener` */
  constructor(at: Address, options: FrontOptions, scope: Scope) {
    // Nobody can say what a visitor needs; a delayed small write is what people complain of.
    const { buffers } = options.context;
    const listener = new TcpListener(at, { nodelay: true, keepalive: true, buffers });
    this.address = listener.address;
    this.#options = options;
    scope.onAbort(() => listener.close());
    const welcome = (visitor: TcpConnection) => this.#welcome(visitor);
    scope.run((signal) => acceptAt(listener, welcome, options.context, signal));
  }

  /** See {@linkcode Front.serve}: visitors ask for channels themselves. */
  serve(): void {}

  #welcome(visitor: TcpConnection): void {
    const { context } = this.#options;
    const ticket = context.admission.admitVisitor(
      visitor.peer,
      (reason) => visitor.abort(reason),
    );
    if (typeof ticket === "string") return this.#refuse(visitor, ticket);
    context.streams.run(async () => {
      const forget = context.streams.onAbort((reason) => visitor.abort(reason));
      try {
        await this.#serve(visitor);
      } finally {
        forget();
        visitor.abort();
        ticket.leave();
      }
    });
  }

  async #serve(visitor: TcpConnection): Promise<void> {
    const { context, counters, name } = this.#options;
    let channel;
    try {
      channel = await this.#pair();
    } catch (error) {
      return this.#refuse(visitor, explain(error));
    }
    const { peer } = visitor;
    const { connection } = channel;
    const forget = context.streams.onAbort((reason) => connection.abort(reason));
    context.journal.record({ type: "stream-opened", service: name, peer });
    counters.visitors++;
    counters.visitorsTotal++;
    try {
      const cut = await pump(visitor, connection, counters, channel.first);
      const reason = cut === null ? undefined : explain(cut);
      context.journal.record({ type: "stream-closed", service: name, peer, reason });
    } finally {
      counters.visitors--;
      forget();
      channel.release();
    }
  }

  /** A data channel whose client was told to forward; tries again where one turns out to be dead. */
  async #pair(): Promise<DataChannel> {
    const { context } = this.#options;
    const end = context.clock.now() + context.config.visitor_timeout * 1000;
    for (;;) {
      const session = this.#options.session();
      if (session === undefined) throw new RatholeError("closed", "the client is gone");
      const channel = await session.pool.take(end - context.clock.now()).catch((error) => {
        // A newer client took the service over: its channels are as good.
        if (this.#options.session() === session) throw error;
        return null;
      });
      if (channel === null) continue;
      const { connection } = channel;
      const forget = context.streams.onAbort((reason) => connection.abort(reason));
      try {
        connection.setNoDelay(this.#options.config().nodelay);
        await connection.write(FORWARD);
        return channel;
      } catch (error) {
        connection.abort(error);
        channel.release();
        if (context.streams.aborted) throw error;
      } finally {
        forget();
      }
    }
  }

  #refuse(visitor: TcpConnection, reason: string): void {
    const { context, counters, name } = this.#options;
    visitor.abort();
    counters.visitorsRefused++;
    context.journal.record({ type: "visitor-refused", service: name, peer: visitor.peer, reason });
  }
}
