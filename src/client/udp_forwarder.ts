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
import { receiveFrames } from "../net/receive_frames.ts";
import { asReplied, resolveHost } from "../net/resolve.ts";
import type { UdpFrame } from "../protocol/udp_frame.ts";
import { type Address, isSameAddress } from "../runtime/address.ts";
import { sleep } from "../runtime/clock.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Forwarder, ForwarderOptions } from "./forwarder.ts";

/** Visitors with a socket, each of 64 KiB; the one idle longest makes room for a new one. */
const MOST_VISITORS = 1024;
/** Sockets that are open or still closing; beyond, a newcomer's datagram is dropped. */
const MOST_SOCKETS = MOST_VISITORS + 64;
/** Milliseconds of silence after which a visitor's socket is closed, as rathole 0.5.0 has it. */
const VISITOR_IDLE = 60_000;
/** Milliseconds between looks for such visitors. */
const SWEEP = 5_000;

/** Where datagrams go. */
interface Target {
  /** As configured. */
  readonly local: Address;
  /** What that resolves to, as replies name it. */
  readonly to: Address;
}

interface Visitor {
  readonly socket: DatagramSocket;
  /** Where its datagrams go, and its replies come from. */
  readonly to: Address;
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
  /** Where visitors go that come now. */
  #local: Address;
  /** Visitors whose socket is being bound. */
  readonly #welcoming = new Map<EndpointKey, Promise<Visitor | null>>();
  readonly #now = () => this.#options.context.clock.now();
  #sockets = 0;
  #sweeping = false;

  /** Forwards to where `options.local` says. When that changes, visitors get new sockets. */
  constructor(options: ForwarderOptions) {
    this.owner = options.scope;
    this.#options = options;
    this.#local = options.local();
    this.#visitors = new ExpiringMap<EndpointKey, Visitor>(MOST_VISITORS, ({ socket }) => {
      options.counters.visitors--;
      socket.close();
    });
    this.owner.onAbort(() => this.#visitors.clear());
  }

  /** See {@linkcode Forwarder.forward}. */
  async forward(channel: Connection): Promise<void> {
    const { context, local, name } = this.#options;
    await using scope = this.owner.child();
    scope.onAbort((reason) => channel.abort(reason));
    let target = await this.#aim(channel, scope);
    if (target === null) return;
    let aiming: Promise<Target | null> | undefined;
    const redirect = async (frame: UdpFrame): Promise<void> => {
      // Its channel is ending: there is nowhere to go.
      if (target === null) return;
      target = await (aiming ??= this.#aim(channel, scope));
      aiming = undefined;
      if (target !== null) await this.#deliver(frame, queue, target);
    };
    const queue = new FrameQueue();
    this.#queues.push(queue);
    const sending = queue.drainInto(channel, scope.signal).catch((error) => channel.abort(error));
    scope.run(() => sending);
    try {
      await receiveFrames(
        channel,
        (frame) =>
          target?.local === local() ? this.#deliver(frame, queue, target) : redirect(frame),
      );
      queue.end();
      await sending;
    } catch (error) {
      context.journal.trace("UDP data channel lost", { service: name, reason: explain(error) });
    } finally {
      this.#queues.splice(this.#queues.indexOf(queue), 1);
    }
  }

  /** Finds out where datagrams go. Without success, the channel ends and null comes back. */
  async #aim(channel: Connection, scope: Scope): Promise<Target | null> {
    const { context, local: current, name } = this.#options;
    const local = current();
    // Those that are known would stay with where the service was.
    if (local !== this.#local) this.#visitors.clear();
    this.#local = local;
    try {
      return { local, to: asReplied(await resolveHost(local, scope.signal)) };
    } catch (error) {
      channel.abort(error);
      if (scope.aborted) return null;
      context.journal.record({ type: "local-unreachable", service: name, reason: explain(error) });
      return null;
    }
  }

  /** Sends a datagram to the service; what a flood does most, so it is done without async frames. */
  #deliver(frame: UdpFrame, queue: FrameQueue, target: Target): Promise<void> {
    const { ip, port } = frame;
    const key = endpointKey(ip, port);
    const visitor = this.#visitors.useLazily(key, this.#now);
    if (visitor !== undefined) return this.#send(visitor, frame, queue);
    return this.#welcome(key, ip, port, queue, target).then(async (welcome) => {
      if (welcome !== null) await this.#send(welcome, frame, queue);
      else this.#options.counters.datagramsDropped++;
    });
  }

  #send(visitor: Visitor, { payload }: UdpFrame, queue: FrameQueue): Promise<void> {
    const { counters } = this.#options;
    const { length } = payload;
    visitor.queue = queue;
    return visitor.socket.send(payload, visitor.to).then((taken) => {
      if (taken) counters.forward.bytes += length;
      else counters.datagramsDropped++;
    });
  }

  /** A visitor that is new; null when there is no socket for it. */
  #welcome(
    key: EndpointKey,
    ip: Uint8Array,
    port: number,
    queue: FrameQueue,
    target: Target,
  ): Promise<Visitor | null> {
    let welcoming = this.#welcoming.get(key);
    if (welcoming === undefined) {
      welcoming = this.#open(key, ip.slice(), port, queue, target)
        .finally(() => this.#welcoming.delete(key));
      this.#welcoming.set(key, welcoming);
    }
    return welcoming;
  }

  async #open(
    key: EndpointKey,
    ip: Uint8Array,
    port: number,
    queue: FrameQueue,
    { local, to }: Target,
  ): Promise<Visitor | null> {
    const { context, counters, name } = this.#options;
    if (this.#sockets >= MOST_SOCKETS) return null;
    const socket = openDatagrams({
      at: localEndFor(to),
      take: (payload, from) => {
        if (isSameAddress(from, to) && this.#queueOf(visitor)?.push(ip, port, payload)) {
          this.#visitors.useLazily(key, this.#now);
          counters.backward.bytes += payload.length;
        } else {
          counters.datagramsDropped++;
        }
      },
    });
    const visitor: Visitor = { socket, to, queue };
    this.#sockets++;
    // Cannot fail. A socket that is closing still has its descriptor and its buffer.
    void socket.closed.then(() => this.#sockets--);
    try {
      await socket.bound;
    } catch (error) {
      counters.visitorsFailed++;
      context.journal.record({ type: "local-unreachable", service: name, reason: explain(error) });
      return null;
    }
    if (local !== this.#local) {
      // Meanwhile the service has moved.
      socket.close();
      return null;
    }
    // Only now, so that one that cannot be served costs no other visitor its place.
    this.#visitors.add(key, visitor, context.clock.now());
    counters.visitors++;
    counters.visitorsTotal++;
    if (this.owner.aborted) this.#visitors.clear();
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
    const { clock } = this.#options.context;
    this.owner.run(async (signal) => {
      while (this.#visitors.size > 0 && !signal.aborted) {
        await sleep(clock, SWEEP, signal);
        this.#visitors.expire(VISITOR_IDLE, clock.now());
      }
      this.#sweeping = false;
    });
  }
}
