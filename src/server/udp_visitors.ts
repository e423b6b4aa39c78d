/**
 * Visitors of a UDP service: their datagrams share a few data channels.
 *
 * @module
 */

import { Stream } from "../carrier/stream.ts";
import { type DatagramSocket, openDatagrams } from "../net/datagrams.ts";
import { endpointHash, type EndpointKey, endpointKey } from "../net/endpoint.ts";
import { ExpiringMap } from "../net/expiring_map.ts";
import { FrameQueue } from "../net/frame_queue.ts";
import { receiveFrames } from "../net/receive_frames.ts";
import { mayUse } from "../net/permission.ts";
import type { UdpFrame } from "../protocol/udp_frame.ts";
import { type Address, formatAddress, isSameAddress, parseIp } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { DataChannel } from "./pool.ts";
import type { Front, FrontOptions } from "./front.ts";
import type { Session } from "./session.ts";

/** Visitors that are remembered; the one idle longest makes room for a new one. */
const MOST_VISITORS = 16_384;
/** Milliseconds of silence after which a visitor is forgotten: a client of 0.5.0 does after 60 s. */
const VISITOR_IDLE = 75_000;
/** Milliseconds between looks for such visitors. */
const SWEEP = 5_000;
/** Milliseconds for which replies are still awaited on a channel that carriers have replaced. */
const FAREWELL = 5_000;
/** A channel that lasted so many milliseconds was of use; the next one is taken at once. */
const LASTED = 1_000;
/** The longest pause where they break one after the other, so that a broken client cannot spin us. */
const LONGEST_PAUSE = 5_000;

interface Visitor {
  readonly address: Address;
  /** Whether the log says already that no reply may be sent to it. */
  refused: boolean;
  readonly ip: Uint8Array;
  readonly queue: FrameQueue;
}

/** Receives a UDP service's datagrams while a client is there. */
export class UdpVisitors implements Front {
  readonly address: Address;
  readonly #options: FrontOptions;
  readonly #socket: DatagramSocket;
  readonly #queues: FrameQueue[];
  readonly #visitors = new ExpiringMap<EndpointKey, Visitor>(
    MOST_VISITORS,
    () => this.#options.counters.visitors--,
  );
  readonly #now = () => this.#options.context.clock.now();
  readonly #scope: Scope;

  private constructor(
    address: Address,
    channels: number,
    options: FrontOptions,
    bind: Bind,
    scope: Scope,
  ) {
    this.address = address;
    this.#options = options;
    this.#scope = scope;
    this.#queues = Array.from({ length: channels }, () => new FrameQueue());
    this.#socket = bind.socket;
    bind.take = (payload, from) => this.#arrived(payload, from);
    scope.onAbort(() => {
      this.#socket.close();
      this.#visitors.clear();
    });
    scope.run((signal) => this.#sweep(signal));
  }

  /**
   * Receives from now on, until the scope is left; datagrams are spread over so many data channels.
   *
   * @throws {RatholeError} as `openDatagrams`
   */
  static async open(
    at: Address,
    channels: number,
    options: FrontOptions,
    scope: Scope,
  ): Promise<UdpVisitors> {
    const bind = new Bind(at);
    try {
      return new UdpVisitors(await bind.socket.bound, channels, options, bind, scope);
    } catch (error) {
      bind.socket.close();
      throw error;
    }
  }

  /** See {@linkcode Front.serve}: has the session's channels carry the datagrams. */
  serve(session: Session): void {
    const scope = session.scope.child();
    scope.onAbort(this.#scope.onAbort((reason) => scope.abort(reason)));
    for (const queue of this.#queues) {
      scope.run((signal) => this.#carry(queue, session, scope, signal));
    }
  }

  #arrived(payload: Uint8Array, from: Address): void {
    const { counters } = this.#options;
    let visitor = this.#visitors.latest;
    if (visitor !== undefined && isSameAddress(visitor.address, from)) this.#visitors.useLatest();
    else visitor = this.#visitorAt(from);
    if (visitor?.queue.push(visitor.ip, from.port, payload)) {
      counters.forward.bytes += payload.length;
    } else {
      counters.datagramsDropped++;
    }
  }

  #visitorAt(from: Address): Visitor | undefined {
    const { context, counters } = this.#options;
    const ip = parseIp(from.hostname);
    if (ip === null) return undefined;
    const key = endpointKey(ip, from.port);
    const now = context.clock.now();
    let visitor = this.#visitors.use(key, now);
    if (visitor === undefined) {
      const queue = this.#queues[endpointHash(ip, from.port) % this.#queues.length];
      if (queue === undefined) return undefined;
      visitor = { address: from, refused: false, ip, queue };
      this.#visitors.add(key, visitor, now);
      counters.visitors++;
      counters.visitorsTotal++;
    }
    return visitor;
  }

  /** Keeps one data channel under a queue, another when it is lost, until the scope is left. */
  async #carry(
    queue: FrameQueue,
    session: Session,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<void> {
    const { context } = this.#options;
    const backoff = new Backoff(LONGEST_PAUSE);
    let inARow = 0;
    while (!signal.aborted) {
      let channel;
      try {
        channel = await session.open("forward-udp");
      } catch {
        // The session ends, or its limit is so low that no channel is left for datagrams.
        await sleep(context.clock, backoff.next(), signal);
        continue;
      }
      const since = context.clock.now();
      const reason = await this.#exchange(queue, channel, session, scope);
      if (signal.aborted) return;
      context.journal.trace("UDP data channel lost", {
        service: this.#options.name,
        reason: explain(reason),
      });
      if (context.clock.now() - since >= LASTED) {
        inARow = 0;
        backoff.reset();
      } else if (++inARow > 1) {
        await sleep(context.clock, backoff.next(), signal);
      }
    }
  }

  /**
   * Sends and receives over one channel until it breaks, which it resolves with, or until there are
   * carriers, where datagrams go from then on.
   */
  async #exchange(
    queue: FrameQueue,
    channel: DataChannel,
    session: Session,
    within: Scope,
  ): Promise<unknown> {
    const { connection, first } = channel;
    const scope = within.child();
    scope.onAbort((reason) => connection.abort(reason));
    const sending = scope.child();
    sending.run((signal) =>
      queue.drainInto(connection, signal).catch((error) => connection.abort(error))
    );
    const receiving = receiveFrames(connection, (frame) => this.#reply(frame), first)
      .then(() => "the client ended the channel", (error) => error);
    const { promise: better, resolve } = Promise.withResolvers<undefined>();
    const forget = connection instanceof Stream
      ? undefined
      : session.carriers.onOpen(() => resolve(undefined));
    const reason = await Promise.race([receiving, better]);
    forget?.();
    const leave = async () => {
      scope.abort();
      await scope.join();
      channel.release();
    };
    if (reason !== undefined || within.aborted) {
      await leave();
      return reason;
    }
    sending.abort();
    // What is on its way here still arrives, once the client knows where to send what comes next.
    within.run(async () => {
      using _deadline = this.#options.context.clock.after(FAREWELL, () => connection.abort());
      await sending.join();
      await new Promise((resolve) => setImmediate(resolve));
      await connection.closeWrite().catch((error) => connection.abort(error));
      await receiving;
      await leave();
    });
    return "there are carriers";
  }

  /** Sends a reply to a visitor that was seen: a client cannot make us send to anybody else. */
  #reply({ ip, port, payload }: UdpFrame): Promise<void> | undefined {
    const { counters } = this.#options;
    const visitor = this.#visitors.useLazily(endpointKey(ip, port), this.#now);
    if (visitor === undefined) {
      counters.datagramsDropped++;
      return undefined;
    }
    const { length } = payload;
    return this.#socket.send(payload, visitor.address).then((taken) => {
      if (taken) {
        counters.backward.bytes += length;
      } else {
        counters.datagramsDropped++;
        this.#refuseWhereForbidden(visitor);
      }
    });
  }

  /** Says once a visitor that replies fail for want of a permission; nothing else would. */
  #refuseWhereForbidden(visitor: Visitor): void {
    const { context, counters, name: service } = this.#options;
    const { address: peer } = visitor;
    if (visitor.refused || mayUse(peer)) return;
    visitor.refused = true;
    counters.visitorsRefused++;
    const reason = `the Deno sandbox does not allow replying to ${formatAddress(peer)}; a UDP ` +
      "service needs --allow-net, or --allow-net=NETWORK/BITS for its visitors' network";
    context.journal.record({ type: "visitor-refused", service, peer, reason });
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context;
    for (;;) {
      await sleep(clock, SWEEP, signal);
      if (signal.aborted) return;
      this.#visitors.expire(VISITOR_IDLE, clock.now());
    }
  }
}

/** A socket whose taker is named once it is known that it could be bound. */
class Bind {
  readonly socket: DatagramSocket;
  take: (payload: Uint8Array, from: Address) => void = () => {};

  constructor(at: Address) {
    this.socket = openDatagrams({ at, take: (payload, from) => this.take(payload, from) });
  }
}
