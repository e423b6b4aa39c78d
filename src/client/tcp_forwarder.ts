/**
 * Forwards a TCP service: one data channel, one connection to the service.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { pump } from "../net/pump.ts";
import { dialTcp } from "../net/tcp.ts";
import { formatAddress } from "../runtime/address.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { within } from "../runtime/within.ts";
import type { Forwarder, ForwarderOptions } from "./forwarder.ts";

/** Milliseconds that the service may take to accept. */
const DIAL_TIMEOUT = 10_000;

/** See the module. */
export class TcpForwarder implements Forwarder {
  readonly command = "forward-tcp";
  /** Streams may outlive their session, and finish while the client drains. */
  readonly owner: Scope;
  readonly #options: ForwarderOptions;

  /** Forwards to where `options.local` says when a visitor comes. */
  constructor(options: ForwarderOptions) {
    this.owner = options.context.streams;
    this.#options = options;
  }

  /** See {@linkcode Forwarder.forward}. */
  async forward(channel: Connection): Promise<void> {
    const { context, counters, name } = this.#options;
    const local = await this.#dial(channel);
    if (local === null) return;
    const forget = context.streams.onAbort((reason) => local.abort(reason));
    context.journal.record({ type: "stream-opened", service: name });
    counters.visitors++;
    counters.visitorsTotal++;
    try {
      const cut = await pump(channel, local, counters);
      const reason = cut === null ? undefined : explain(cut);
      context.journal.record({ type: "stream-closed", service: name, reason });
    } finally {
      counters.visitors--;
      forget();
    }
  }

  async #dial(channel: Connection): Promise<Connection | null> {
    const { context, counters, name } = this.#options;
    const local = this.#options.local();
    const { buffers, clock, streams: scope } = context;
    try {
      const what = `connecting to ${formatAddress(local)}`;
      return await within(
        { clock, scope, timeout: DIAL_TIMEOUT, what },
        // Nobody can say what a service needs; a delayed small write is what people complain of.
        (signal) => dialTcp(local, { nodelay: true, keepalive: true, buffers }, signal),
      );
    } catch (error) {
      channel.abort(error);
      counters.visitorsFailed++;
      context.journal.record({
        type: "local-unreachable",
        service: name,
        reason: explain(error),
      });
      return null;
    }
  }
}
