/**
 * Visitors of a TCP service: each is paired with a data channel, and then bytes flow.
 *
 * @module
 */

import { pump } from "../net/pump.ts";
import { type TcpConnection, TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { acceptAt } from "./accept.ts";
import type { Ticket } from "./admission.ts";
import type { DataChannel } from "./pool.ts";
import type { Front, FrontOptions } from "./front.ts";

/** A visitor on the way to a data channel, or paired with one. */
interface Stream {
  readonly visitor: TcpConnection;
  channel: DataChannel | undefined;
}

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
    context.streams.run(() => this.#serve(visitor, ticket));
  }

  async #serve(visitor: TcpConnection, ticket: Ticket): Promise<void> {
    const { streams } = this.#options.context;
    const stream: Stream = { visitor, channel: undefined };
    const forget = streams.onAbort((reason) => {
      visitor.abort(reason);
      stream.channel?.connection.abort(reason);
    });
    try {
      await this.#forward(stream);
    } catch (error) {
      this.#refuse(visitor, explain(error));
    } finally {
      forget();
      visitor.abort();
      stream.channel?.connection.abort();
      stream.channel?.release();
      ticket.leave();
    }
  }

  /** Has bytes flow until both directions have ended. @throws {RatholeError} without a channel */
  async #forward(stream: Stream): Promise<void> {
    const { context, counters, name } = this.#options;
    const { connection, first } = await this.#pair(stream);
    const { visitor } = stream;
    const { peer } = visitor;
    context.journal.record({ type: "stream-opened", service: name, peer });
    counters.visitors++;
    counters.visitorsTotal++;
    const cut = await pump(visitor, connection, counters, first);
    counters.visitors--;
    const reason = cut === null ? undefined : explain(cut);
    context.journal.record({ type: "stream-closed", service: name, peer, reason });
  }

  /** A channel whose client was told to forward. @throws {RatholeError} */
  async #pair(stream: Stream): Promise<DataChannel> {
    const { context } = this.#options;
    const end = context.clock.now() + context.config.visitor_timeout * 1000;
    for (;;) {
      const session = this.#options.session();
      if (session === undefined) throw new RatholeError("closed", "the client is gone");
      try {
        const channel = await session.open("forward-tcp", {
          timeout: end - context.clock.now(),
          over: () => context.streams.aborted,
          hold: (channel) => {
            stream.channel = channel;
            // Whoever ends all streams may just have done so.
            if (context.streams.aborted) channel?.connection.abort(context.streams.signal.reason);
          },
        });
        stream.channel = channel;
        if (context.streams.aborted) throw context.streams.signal.reason;
        return channel;
      } catch (error) {
        // A newer client may have taken the service over: its channels are as good.
        if (this.#options.session() === session || context.streams.aborted) throw error;
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
