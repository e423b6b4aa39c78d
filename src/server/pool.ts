/**
 * The data channels of one session: asked for in advance, waiting for visitors.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Requests } from "./requests.ts";
import { Reserve, type ReserveBounds } from "./reserve.ts";
import { Waiters } from "./waiters.ts";

/** A data channel handed to a visitor. */
export interface DataChannel {
  /** The channel itself. */
  readonly connection: Connection;
  /** A read that is under way already, if any; it counts as the first. */
  readonly first: Promise<Uint8Array | null> | undefined;
  /** Must be called once the channel is closed. */
  release(): void;
}

/** What a pool needs to know and do. */
export interface PoolOptions {
  /** How many channels should wait for visitors. */
  readonly reserve: ReserveBounds;
  /** How many channels there may be, waiting and in use. */
  readonly limit: number;
  /** Times the requests. */
  readonly clock: Clock;
  /** Asks the client for so many channels. */
  request(count: number): void;
}

/**
 * Channels that may wait beyond the reserve, as a multiple of its least and at least so many: bursts
 * of visitors leave some behind, and so does every probe.
 */
const SPARE = 3;
const LEAST_SPARE = 24;
/** While channels are coming, more are asked for when this share of the reserve is missing. */
const BATCH = 1 / 4;

interface Idle {
  readonly connection: Connection;
  /** When it came. */
  readonly since: number;
  readonly first: Promise<Uint8Array | null>;
  readonly leave: () => void;
}

/**
 * Matches channels with those who wait for one, and keeps a {@linkcode Reserve}. Who waits
 * longest is served first, with the newest channel: a network forgets idle connections without a
 * word, so the newest is the likeliest to be alive. A channel that is closed while it waits is
 * noticed, by a read that is always under way on it, and replaced.
 */
export class ChannelPool {
  readonly #options: PoolOptions;
  readonly #reserve: Reserve;
  /** Oldest first. */
  readonly #idle: Idle[] = [];
  readonly #waiters: Waiters;
  readonly #requests: Requests;
  readonly #used = new Set<Connection>();
  #closed: unknown;
  #tellsOtherwise = false;
  #maxAge = Infinity;

  /** A pool that asks for its first channels at once. */
  constructor(options: PoolOptions) {
    const { clock, request, reserve } = options;
    this.#options = options;
    this.#waiters = new Waiters(clock);
    this.#reserve = new Reserve(reserve, clock.now());
    this.#requests = new Requests({ clock, request, overdue: () => this.#refill() });
    this.#refill();
  }

  /** Channels that wait for visitors. */
  get idle(): number {
    return this.#idle.length;
  }

  /** Channels that carry visitors. */
  get inUse(): number {
    return this.#used.size;
  }

  /** Channels that were asked for and have not come. */
  get expected(): number {
    return this.#requests.coming;
  }

  /** When the client last showed that it is alive: by a channel, or as {@linkcode heard} was told. */
  get heardAt(): number {
    return this.#requests.heardAt;
  }

  /** When the first request was made that nothing was heard since; undefined without one. */
  get unansweredSince(): number | undefined {
    return this.#requests.unansweredSince;
  }

  /** Whether a further channel can only take the place of another. */
  get full(): boolean {
    const idle = this.#idle.length;
    const { limit, reserve } = this.#options;
    return this.#used.size + idle >= limit ||
      idle >= this.#reserve.size + Math.max(SPARE * reserve.least, LEAST_SPARE);
  }

  /** The client is alive: whatever it was asked before, it is not for silence that it owes it. */
  heard(): void {
    this.#requests.heard();
  }

  /**
   * Whether the client shows by other means than its answers that it is alive. If not, every visitor
   * has it asked for a channel, for a verdict on it in time.
   */
  set tellsOtherwise(value: boolean) {
    this.#tellsOtherwise = value;
  }

  /** Whether visitors mostly go another way: a few channels in reserve are enough then. */
  set sparing(value: boolean) {
    if (this.#reserve.sparing === value) return;
    this.#reserve.sparing = value;
    if (value) this.#retireBeyondReserve();
    else this.#refill();
  }

  /** Asks for a channel that nobody needs, to see whether the client answers. */
  probe(): void {
    if (this.#closed === undefined) this.#requests.ask(1);
  }

  /**
   * From now on channels that waited longer than `maxAge` milliseconds are replaced: asks for as
   * many as did, and each that comes takes the oldest one's place. Those that the reserve has no
   * use for any more are closed.
   */
  refresh(maxAge: number): void {
    if (this.#closed !== undefined) return;
    this.#maxAge = maxAge;
    const now = this.#options.clock.now();
    this.#reserve.review(now);
    const limit = now - maxAge;
    this.#retireBeyondReserve();
    const fresh = this.#idle.findIndex(({ since }) => since > limit);
    const old = fresh < 0 ? this.#idle.length : fresh;
    const count = old - this.#requests.coming;
    if (count > 0) this.#requests.ask(count);
  }

  /** Closes what demand has added to the reserve: the server has no room left. */
  makeWay(): void {
    if (this.#closed !== undefined) return;
    this.#reserve.makeWay(this.#options.clock.now());
    this.#retireBeyondReserve();
  }

  /**
   * A channel, at once or when one comes, within `timeout` milliseconds (for ever without).
   *
   * @throws {RatholeError} `timeout`, `limit`, or the reason that {@linkcode ChannelPool.close} got.
   */
  take(timeout?: number): Promise<DataChannel> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { limit } = this.#options;
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      const channel = this.#use(idle.connection, idle.first, idle.leave);
      this.#reserve.taken(this.#idle.length);
      this.#refill();
      // Where the reserve is full all the same, one is asked for to learn whether a client that
      // this visitor waits for is still there.
      const room = this.#used.size + this.#idle.length < limit;
      if (this.#requests.coming === 0 && room) this.#requests.ask(1);
      return Promise.resolve(channel);
    }
    if (this.#used.size + this.#waiters.size >= limit) {
      const message = `max_data_channels = ${limit} reached`;
      return Promise.reject(new RatholeError("limit", message));
    }
    const waiting = this.#waiters.wait(timeout);
    // What is too much in reserve can be closed again at a client of ours alone: one of 0.5.0 warns.
    if (this.#tellsOtherwise) {
      this.#reserve.missed(this.#waiters.size, this.#options.clock.now());
    }
    this.#refill();
    return waiting;
  }

  /**
   * Takes over a channel that a client opened, if need be in place of the one that waited longest;
   * false when none is wanted, and it is the caller's still. `leave` is called when the channel is
   * closed.
   */
  offer(connection: Connection, leave: () => void): boolean {
    if (this.#closed !== undefined) return false;
    this.heard();
    const target = this.#reserve.size;
    const idle = this.#idle.length;
    const asked = this.#requests.answered();
    const needless = this.#waiters.size === 0 && idle >= target;
    if (needless && (!asked || this.#reserve.frugal(this.#options.clock.now()))) return false;
    const oldest = this.#idle[0]?.since ?? Infinity;
    const stale = idle >= target && this.#options.clock.now() - oldest >= this.#maxAge;
    if ((this.full || stale) && !(asked && this.#retireOldest())) return false;
    if (this.#waiters.size === 0) this.#keep(connection, leave);
    else this.#waiters.serve(this.#use(connection, undefined, leave));
    this.#refill();
    return true;
  }

  /**
   * Closes the channels that wait and refuses those who wait for one, for this reason. Channels in
   * use live on, except where the client was found silent: nobody is at their other end either, and
   * a stopped machine's kernel would keep them open for ever.
   */
  close(reason: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#requests.close();
    this.#reserve.close();
    for (const idle of this.#idle.splice(0)) {
      idle.connection.abort(reason);
      idle.leave();
    }
    this.#waiters.close(reason);
    if (reason instanceof RatholeError && reason.code === "timeout") {
      for (const connection of this.#used) connection.abort(reason);
    }
  }

  #keep(connection: Connection, leave: () => void): void {
    const since = this.#options.clock.now();
    const idle: Idle = { connection, since, first: connection.read(), leave };
    this.#idle.push(idle);
    // A client says nothing on a channel before it is told to forward: whatever comes, be it the
    // end, an error or bytes, means that the channel is of no use.
    const lost = () => {
      const index = this.#idle.indexOf(idle);
      if (index < 0) return;
      this.#idle.splice(index, 1);
      connection.abort();
      leave();
      this.#refill();
    };
    idle.first.then(lost, lost);
  }

  #retireBeyondReserve(): void {
    for (let more = this.#idle.length - this.#reserve.size; more > 0; more--) this.#retireOldest();
  }

  #retireOldest(): boolean {
    const oldest = this.#idle.shift();
    if (oldest === undefined) return false;
    oldest.connection.abort();
    oldest.leave();
    return true;
  }

  #use(
    connection: Connection,
    first: Promise<Uint8Array | null> | undefined,
    leave: () => void,
  ): DataChannel {
    this.#used.add(connection);
    const release = () => {
      if (!this.#used.delete(connection)) return;
      leave();
      // Where the limit was reached there is room again.
      this.#refill();
    };
    return { connection, first, release };
  }

  #refill(): void {
    if (this.#closed !== undefined) return;
    this.#requests.expire();
    const { coming } = this.#requests;
    const { size } = this.#reserve;
    const room = this.#options.limit - this.#used.size - this.#idle.length - coming;
    const wanted = Math.min(room, size + this.#waiters.size - this.#idle.length - coming);
    // A few at a time, so that not every visitor costs a message; unless somebody waits for it.
    const few = this.#tellsOtherwise && coming > 0 && this.#waiters.size === 0 &&
      wanted < size * BATCH;
    if (wanted > 0 && !few) this.#requests.ask(wanted);
  }
}
