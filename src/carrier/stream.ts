/**
 * One visitor's stream of bytes on a carrier: a Connection to everybody above.
 *
 * @module
 */

import { type ByteCounter, type Connection, WRITTEN } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import type { Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { BulkMeter } from "./bulk.ts";
import { encodeCredit, FRAME, RESET } from "./frame.ts";
import { Pouring } from "./pouring.ts";
import { type Chunk, Receiving } from "./receiving.ts";
import { resetCode, resetError } from "./reset.ts";
import { Sending } from "./sending.ts";
import type { StreamHost } from "./stream_host.ts";

/**
 * Milliseconds that the other end may take to follow a stream to its data channel: as long as a dead
 * carrier may stay unnoticed.
 */
const MOVE_TIMEOUT = 40_000;

const END: Promise<null> = Promise.resolve(null);

/** Where a stream goes on. */
export interface Route {
  /** Carries nothing yet. */
  readonly connection: Connection;
  /** A read of it that is under way, if any: the first. */
  readonly first?: Promise<Chunk> | undefined;
  /** Called once it is of no use any more. */
  release?(): void;
}

/** See the module. Calls other than those of a Connection are its carrier's, and the mover's. */
export class Stream implements Connection {
  readonly peer: Address;
  /** Its number on the wire. */
  readonly id: number;
  /** Set while it is about to move. */
  moving = false;
  /** Milliseconds of the clock before which it is not to be tried again. */
  movesAt = -Infinity;
  /** What this end sends. */
  readonly sending: Sending;
  readonly #receiving: Receiving;
  readonly #host: StreamHost;
  readonly #meter: BulkMeter | undefined;
  #pouring: Pouring | undefined;
  /** Where it goes on. */
  #route: Connection | undefined;
  #first: Promise<Chunk> | undefined;
  #release: (() => void) | undefined;
  #deadline: Deadline | undefined;
  /** Whether the carrier has forgotten it. */
  #forgotten = false;
  /** Whether the other end has reset it: what has come before may still be read. */
  #cut = false;
  #failed = false;
  #reason: unknown;

  /** A stream that is open in both directions. */
  constructor(id: number, host: StreamHost) {
    this.id = id;
    this.peer = host.peer;
    this.#host = host;
    this.sending = new Sending(id, host);
    this.#receiving = new Receiving(host.buffers, host.budget);
    if (host.bulky !== undefined) this.#meter = new BulkMeter(host.clock.now());
  }

  /** Bytes that have come and were not taken, and those that wait to be sent. */
  get queued(): number {
    return this.#receiving.queued + this.sending.queued;
  }

  /** Whether it needs nothing of its carrier any more but to be found there. */
  get leaves(): boolean {
    return this.#receiving.state === "moved" && this.sending.state !== "open";
  }

  /** See {@linkcode Connection.read}. */
  read(max?: number): Promise<Chunk> {
    if (this.#failed) return Promise.reject(this.#why());
    this.#settle();
    const chunk = this.#receiving.take(max);
    if (chunk !== null) return Promise.resolve(chunk);
    return this.#afterLast(max) ?? this.#receiving.wait(max);
  }

  /** See {@linkcode Connection.pour}: frames go on from here without a read. */
  pour(to: Connection, counter: ByteCounter): Promise<void> {
    if (this.#failed) return Promise.reject(this.#why());
    this.#settle();
    this.#pouring = new Pouring(this.#receiving, to, counter, () => {
      this.#settle();
      this.wake();
    });
    const { over } = this.#pouring;
    this.wake();
    return over;
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failed || this.#cut) return Promise.reject(this.#why());
    const { state } = this.sending;
    if (state === "moved") return this.#route?.write(bytes) ?? WRITTEN;
    if (state === "ended") {
      return Promise.reject(new RatholeError("closed", "this direction has ended"));
    }
    if (bytes.length === 0) return WRITTEN;
    const sent = this.sending.send(bytes);
    this.#count(bytes.length, true);
    return sent;
  }

  /** See {@linkcode Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    if (this.#failed || this.#cut) return Promise.reject(this.#why());
    const { state } = this.sending;
    if (state === "moved") return this.#route?.closeWrite() ?? WRITTEN;
    if (state === "open") {
      this.sending.end();
      this.#forgetWhenOver();
    }
    return WRITTEN;
  }

  /** See {@linkcode Connection.setNoDelay}: a carrier always sends at once. */
  setNoDelay(enabled: boolean): void {
    this.#route?.setNoDelay(enabled);
  }

  /** See {@linkcode Connection.abort}. The other end is told. */
  abort(reason?: unknown): void {
    if (this.#failed) return;
    if (!this.#forgotten) {
      this.#host.control(FRAME.reset, this.id, Uint8Array.of(resetCode(reason)));
    }
    this.lost(reason);
  }

  /** Same as {@linkcode Stream.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** It is over at once, with its carrier. */
  lost(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#endFor(reason);
    this.#receiving.refuse(() => this.#why());
    this.#pouring?.fail(this.#why());
    this.#pouring = undefined;
  }

  /** The other end has reset it, for a reason on the wire: what has come can still be read. */
  reset(code: number | undefined): void {
    this.#cut = true;
    this.#endFor(resetError(code));
    // What was sent on a data channel that has not come is lost.
    const { state } = this.#receiving;
    if (code === RESET.over && state === "open") this.#receiving.state = "ended";
    this.wake();
  }

  /** Bytes have come. @throws {RatholeError} `protocol` where none may */
  deliver(bytes: Uint8Array): void {
    if (this.#receiving.state !== "open") throw misplaced("bytes", this.id);
    this.#receiving.deliver(bytes);
    this.#count(bytes.length, false);
    if (this.#receiving.reading || this.#pouring !== undefined) this.#host.ready(this);
  }

  /** The other end has ended its direction, or goes on elsewhere. @throws {RatholeError} `protocol` */
  left(to: "ended" | "moved"): void {
    if (this.#receiving.state !== "open") throw misplaced(to, this.id);
    this.#receiving.leave(to);
    this.#deadline?.cancel();
    this.#host.ready(this);
    this.#forgetWhenOver();
    if (to === "moved" && this.#route === undefined) this.#expectOther();
  }

  /** Gives the reader what there is. */
  wake(): void {
    if (this.#pouring !== undefined) return this.#pourOn(this.#pouring);
    const { max, reading } = this.#receiving;
    if (!reading) return;
    const next = this.#receiving.take(max) ?? this.#afterLast(max);
    if (next !== undefined) this.#receiving.give(next);
  }

  /**
   * Has it go on over a connection of its own from here on; the other end must be told to do so too.
   * Where it cannot, the connection is closed.
   */
  moveTo({ connection: route, first, release }: Route): void {
    if (this.#forgotten || this.#route !== undefined) {
      route.abort();
      release?.();
      return;
    }
    this.#route = route;
    this.#first = first;
    this.#release = release;
    this.#host.counters.moved++;
    // A direction that has ended stays silent there: an end that nobody reads would have the other
    // end's system throw away what it has not sent yet, as it closes.
    if (this.sending.state === "open") this.sending.moveTo(route);
    this.#deadline?.cancel();
    if (this.#receiving.state === "open") this.#expectOther();
    this.wake();
    this.#forgetWhenOver();
  }

  #pourOn(pouring: Pouring): void {
    if (pouring.next()) return;
    const { state } = this.#receiving;
    if (state === "open" && !this.#cut || state === "moved" && this.#route === undefined) return;
    this.#pouring = undefined;
    pouring.end();
  }

  /** What was lent is taken: that is what the other end gets credit for. */
  #settle(): void {
    const grant = this.#receiving.settle();
    if (grant === 0 || this.#forgotten) return;
    this.#host.control(FRAME.window, this.id, encodeCredit(grant));
  }

  /** What a read gives when all that came by frames was read; undefined while more may come. */
  #afterLast(max: number | undefined): Promise<Chunk> | undefined {
    const { state } = this.#receiving;
    if (state === "ended") return END;
    if (this.#cut) return Promise.reject(this.#why());
    if (state === "open" || this.#route === undefined) return undefined;
    const first = this.#first;
    if (first === undefined) return this.#route.read(max);
    this.#first = undefined;
    return first;
  }

  #endFor(reason: unknown): void {
    this.#reason = reason;
    this.#deadline?.cancel();
    this.#forget();
    if (this.sending.writing) this.sending.refuse(this.#why());
    this.#route?.abort(reason);
    this.#release?.();
    this.#release = undefined;
  }

  /** Made when somebody asks: most streams are aborted when they are over. */
  #why(): unknown {
    return this.#reason ??= new RatholeError("aborted", "the stream was ended by this side");
  }

  #expectOther(): void {
    this.#deadline = this.#host.clock.after(MOVE_TIMEOUT, () => {
      this.abort(new RatholeError("timeout", "the other end did not follow to a data channel"));
    });
  }

  #forgetWhenOver(): void {
    const { state } = this.#receiving;
    if (state === "open" || this.sending.state === "open") return;
    // Whoever brings the data channel asks for it by its number.
    if (state === "moved" && this.#route === undefined) return;
    this.#forget();
  }

  #forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    if (this.#receiving.state === "open") this.#receiving.close();
    this.#host.over(this);
  }

  #count(bytes: number, outgoing: boolean): void {
    const meter = this.#meter;
    if (meter === undefined || this.moving || !meter.count(bytes, outgoing)) return;
    if (meter.judge(this.#host.clock.now())) this.#host.bulky?.(this);
  }
}

function misplaced(what: string, id: number): RatholeError {
  return new RatholeError("protocol", `${what} after the end of stream ${id}`);
}
