/**
 * Forwards a UDP service: each visitor gets a socket of its own towards the service, so that the
 * service can tell visitors apart and replies find their way back.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { type DatagramSocket, localEndFor, openDatagrams } from "../net/datagrams.ts";
import { type EndpointKey, endpointKey } from "../net/endpoint.ts";
import { ExpiringMap } from "../net/expiring_map.ts";
import { FrameQueue } from "../net/frame_queue.ts";
import { asReplied, resolveHost } from "../net/resolve.ts";
import { UdpFrameDecoder } from "../protocol/udp_frame.ts";
import type { Address } from "../runtime/address.ts";
import { sleep } from "../runtime/clock.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Forwarder, ForwarderOptions } from "./forwarder.ts";

/** Visitors with a socket; the one idle longest makes room for a new one. */
const MOST_VISITORS = 2048;
/** Milliseconds of silence after which a visitor's socket is closed, as rathole 0.5.0 has it. */
const VISITOR_IDLE = 60_000;
/** Milliseconds between looks for such visitors. */
const SWEEP = 5_000;

interface Visitor {
  readonly socket: DatagramSocket;
  /** Where replies go: the channel on which the visitor was heard last. */
  queue: FrameQueue;
}

/** See the module. */
export class UdpForwarder implements Forwarder {
  readonly command = "forward-udp";
  /** Streams have an end to wait for when the client drains; datagrams do not. */
  readonly owner: Scope;
  readonly #options: ForwarderOptions;
  readonly #visitors: ExpiringMap<EndpointKey, Visitor>;
  /** One queue a channel that is open, the newest last. */
  readonly #queues: FrameQueue[] = [];
  #sweeping = false;

  /** Forwards to `options.local`. */
  constructor(options: ForwarderOptions) {
    this.owner = options.context.intake;
    this.#options = options;
    this.#visitors = new ExpiringMap<EndpointKey, Visitor>(MOST_VISITORS, ({ socket }) => {
      options.counters.visitors--;
      socket.close();
    });
    this.owner.onAbort(() => this.#visitors.clear());
  }

  /** See {@linkcode Forwarder.forward}. */
  async forward(channel: Connection): Promise<void> {
    const { context, name } = this.#options;
    const record = (error: unknown) =>
      context.journal.record({ type: "local-unreachable", service: name, reason: explain(error) });
    await using scope = this.owner.child();
    scope.onAbort((reason) => channel.abort(reason));
    let to: Address;
    try {
      to = asReplied(await resolveHost(this.#options.local, scope.signal));
    } catch (error) {
      channel.abort(error);
      return scope.aborted ? undefined : record(error);
    }
    const queue = new FrameQueue();
    this.#queues.push(queue);
    scope.run((signal) => queue.drainInto(channel, signal).catch((error) => channel.abort(error)));
    try {
      await this.#receive(channel, queue, to);
    } catch (error) {
      context.journal.trace("UDP data channel lost", { service: name, reason: explain(error) });
    } finally {
      this.#queues.splice(this.#queues.indexOf(queue), 1);
    }
  }

  async #receive(channel: Connection, queue: FrameQueue, to: Address): Promise<void> {
    const decoder = new UdpFrameDecoder();
    for (let chunk = await channel.read(); chunk !== null; chunk = await channel.read()) {
      const sending: Promise<void>[] = [];
      decoder.decode(chunk, (ip, port, payload) => {
        sending.push(this.#send(this.#visitor(ip, port, queue, to), payload, to));
      });
      await Promise.all(sending);
    }
  }

  async #send(visitor: Visitor, payload: Uint8Array, to: Address): Promise<void> {
    const { counters } = this.#options;
    if (await visitor.socket.send(payload, to)) counters.forward.bytes += payload.length;
    else counters.datagramsDropped++;
  }

  #visitor(ip: Uint8Array, port: number, queue: FrameQueue, to: Address): Visitor {
    const { context, counters, name } = this.#options;
    const key = endpointKey(ip, port);
    const now = context.clock.now();
    const known = this.#visitors.use(key, now);
    if (known !== undefined) {
      known.queue = queue;
      return known;
    }
    const address = ip.slice();
    const socket = openDatagrams({
      at: localEndFor(to),
      to,
      take: (payload, from) => {
        const expected = from.port === to.port && from.hostname === to.hostname;
        if (expected && this.#queueOf(visitor)?.push(address, port, payload)) {
          this.#visitors.use(key, context.clock.now());
          counters.backward.bytes += payload.length;
        } else {
          counters.datagramsDropped++;
        }
      },
    });
    const visitor: Visitor = { socket, queue };
    socket.bound.catch((error) => {
      this.#visitors.delete(key);
      counters.visitorsFailed++;
      context.journal.record({ type: "local-unreachable", service: name, reason: explain(error) });
    });
    this.#visitors.add(key, visitor, now);
    counters.visitors++;
    counters.visitorsTotal++;
    this.#sweep();
    return visitor;
  }

  /** The visitor's channel; where that is gone, the newest: a service may speak unasked. */
  #queueOf(visitor: Visitor): FrameQueue | undefined {
    if (this.#queues.includes(visitor.queue)) return visitor.queue;
    const newest = this.#queues.at(-1);
    if (newest !== undefined) visitor.queue = newest;
    return newest;
  }

  /** Looks for idle visitors as long as there are visitors. */
  #sweep(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { clock, intake } = this.#options.context;
    intake.run(async (signal) => {
      while (this.#visitors.size > 0 && !signal.aborted) {
        await sleep(clock, SWEEP, signal);
        this.#visitors.expire(clock.now() - VISITOR_IDLE);
      }
      if (signal.aborted) this.#visitors.clear();
      this.#sweeping = false;
    });
  }
}
