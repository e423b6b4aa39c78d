/**
 * One visitor's stream of bytes on a carrier: a Connection to everybody above.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { BulkMeter } from "./bulk.ts";
import type { CarrierCounters } from "./counters.ts";
import { INITIAL_WINDOW, MOST_CREDIT, ReceiveWindow, type WindowBudget } from "./credit.ts";
import { encodeCredit, FRAME, MOST_DATA, RESET } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";

/**
 * Milliseconds that the other end may take to follow a stream to its data channel: as long as a dead
 * carrier may stay unnoticed.
 */
const MOVE_TIMEOUT = 40_000;

const NOTHING = new Uint8Array(0);
const END: Promise<null> = Promise.resolve(null);
const DONE: Promise<void> = Promise.resolve();

/** What a stream needs of its carrier. */
export interface StreamHost {
  /** The other end. */
  readonly peer: Address;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** Times the wait for the other end. */
  readonly clock: Clock;
  /** By how much windows may grow. */
  readonly budget: WindowBudget;
  /** Where frames go. */
  readonly outbox: Outbox;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** Hears of streams that move bulk. */
  readonly bulky?: ((stream: Stream) => void) | undefined;
  /** Sends a frame other than data. */
  control(type: number, stream: number, payload?: Uint8Array): void;
  /** Something has come for the reader: {@linkcode Stream.wake} is to be called soon. */
  ready(stream: Stream): void;
  /** It has bytes and credit: {@linkcode Stream.put} is to be called when there is room. */
  wait(stream: Stream): void;
  /** No frame of it is to come or to go any more. */
  over(stream: Stream): void;
}

/** Where a stream goes on. */
export interface Route {
  /** Carries nothing yet. */
  readonly connection: Connection;
  /** A read of it that is under way, if any: the first. */
  readonly first?: Promise<Uint8Array | null> | undefined;
  /** Called once it is of no use any more. */
  release?(): void;
}

/** How far one direction is: frames may follow, it has ended, or goes on elsewhere. */
type Direction = "open" | "ended" | "moved";

/** See the module. Calls other than those of a Connection are its carrier's, and the mover's. */
export class Stream implements Connection {
  readonly peer: Address;
  /** Its number on the wire. */
  readonly id: number;
  /** Set while it is about to move. */
  moving = false;
  readonly #host: StreamHost;
  readonly #inbox: Inbox;
  readonly #window: ReceiveWindow;
  readonly #meter: BulkMeter | undefined;
  #inbound: Direction = "open";
  #outbound: Direction = "open";
  #credit = INITIAL_WINDOW;
  /** Bytes that the reader has at the moment. */
  #lent = 0;
  #resolveRead: ((chunk: Uint8Array | null | Promise<Uint8Array | null>) => void) | undefined;
  #rejectRead: ((error: unknown) => void) | undefined;
  #max: number | undefined;
  #writing: Uint8Array = NOTHING;
  #resolveWrite: (() => void) | undefined;
  #rejectWrite: ((error: unknown) => void) | undefined;
  /** Where it goes on. */
  #route: Connection | undefined;
  #first: Promise<Uint8Array | null> | undefined;
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
    this.#inbox = new Inbox(host.buffers);
    this.#window = new ReceiveWindow(host.budget);
    if (host.bulky !== undefined) this.#meter = new BulkMeter(host.clock.now());
  }

  /** Bytes that have come and were not taken, and those that wait to be sent. */
  get queued(): number {
    return this.#inbox.size + this.#writing.length;
  }

  /** Whether it needs nothing of its carrier any more but to be found there. */
  get leaves(): boolean {
    return this.#inbound === "moved" && this.#outbound !== "open";
  }

  /** See {@linkcode Connection.read}. */
  read(max?: number): Promise<Uint8Array | null> {
    if (this.#failed) return Promise.reject(this.#reason);
    this.#settle();
    const chunk = this.#inbox.take(max);
    if (chunk !== null) {
      this.#lent = chunk.length;
      return Promise.resolve(chunk);
    }
    if (this.#inbound === "ended") return END;
    if (this.#cut) return Promise.reject(this.#reason);
    if (this.#inbound === "moved" && this.#route !== undefined) return this.#readOn(max);
    return new Promise((resolve, reject) => {
      this.#resolveRead = resolve;
      this.#rejectRead = reject;
      this.#max = max;
    });
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failed || this.#cut) return Promise.reject(this.#reason);
    if (this.#outbound === "moved") return this.#route?.write(bytes) ?? DONE;
    const { length } = bytes;
    if (length === 0) return DONE;
    this.#meterBytes(length, true);
    if (this.#outbound === "open" && length <= this.#credit && length <= MOST_DATA) {
      const { outbox } = this.#host;
      if (outbox.room > 0) {
        this.#credit -= length;
        outbox.data(this.id, bytes);
        return DONE;
      }
    }
    return this.#writeInParts(bytes);
  }

  /** See {@linkcode Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    if (this.#failed || this.#cut) return Promise.reject(this.#reason);
    if (this.#outbound === "moved") return this.#route?.closeWrite() ?? DONE;
    if (this.#outbound === "open") {
      this.#outbound = "ended";
      this.#host.control(FRAME.fin, this.id);
      this.#forgetWhenOver();
    }
    return DONE;
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
    this.lost(reason ?? new RatholeError("aborted", "the stream was ended by this side"));
  }

  /** Same as {@linkcode Stream.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** It is over at once, with its carrier. */
  lost(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#reason = reason;
    this.#endWith(reason);
    this.#inbox.abandon();
    this.#rejectRead?.(reason);
    this.#resolveRead = this.#rejectRead = undefined;
  }

  /** The other end has reset it, for a reason on the wire: what has come can still be read. */
  reset(code: number | undefined): void {
    const reason = this.#reason = resetError(code);
    this.#cut = true;
    this.#endWith(reason);
    // What was sent on a data channel that has not come is lost.
    if (code === RESET.over && this.#inbound === "open") this.#inbound = "ended";
    this.wake();
  }

  #endWith(reason: unknown): void {
    this.#deadline?.cancel();
    this.#forget();
    this.#refuseWrite(reason);
    this.#writing = NOTHING;
    this.#route?.abort(reason);
    this.#release?.();
    this.#release = undefined;
  }

  /** Bytes have come. @throws {RatholeError} `protocol` where none may */
  deliver(bytes: Uint8Array): void {
    if (this.#inbound !== "open") throw misplaced("bytes", this.id);
    if (!this.#window.received(bytes.length)) {
      throw new RatholeError("protocol", `more bytes of stream ${this.id} than it has credit for`);
    }
    this.#inbox.push(bytes);
    this.#meterBytes(bytes.length, false);
    if (this.#resolveRead !== undefined) this.#host.ready(this);
  }

  /** The other end has ended its direction. @throws {RatholeError} `protocol` */
  ended(): void {
    this.#leaveInbound("ended");
  }

  /** The other end goes on elsewhere. @throws {RatholeError} `protocol` */
  moved(): void {
    this.#leaveInbound("moved");
    if (this.#route === undefined) this.#expectOther();
  }

  /** The other end takes so many bytes more. @throws {RatholeError} `protocol` for absurd numbers */
  granted(credit: number): void {
    this.#credit += credit;
    if (this.#credit > MOST_CREDIT) throw new RatholeError("protocol", "credit without end");
    if (this.#writing.length > 0) this.#continue();
  }

  /** Gives the reader what there is. */
  wake(): void {
    const resolve = this.#resolveRead;
    if (resolve === undefined) return;
    const chunk = this.#inbox.take(this.#max);
    if (chunk !== null) {
      this.#lent = chunk.length;
      resolve(chunk);
    } else if (this.#inbound === "ended") {
      resolve(null);
    } else if (this.#cut) {
      this.#rejectRead?.(this.#reason);
    } else if (this.#inbound === "moved" && this.#route !== undefined) {
      resolve(this.#readOn(this.#max));
    } else {
      return;
    }
    this.#resolveRead = this.#rejectRead = undefined;
  }

  /** Sends one frame of what waits; whether there is more that could go. */
  put(): boolean {
    const count = Math.min(this.#writing.length, this.#credit, MOST_DATA);
    if (count > 0) {
      this.#credit -= count;
      this.#host.outbox.data(this.id, this.#writing.subarray(0, count));
      this.#writing = this.#writing.subarray(count);
      if (this.#writing.length === 0) this.#written();
    }
    if (this.#writing.length === 0) return false;
    if (this.#credit > 0) return true;
    this.#host.counters.stalls++;
    return false;
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
    if (this.#outbound === "open") {
      this.#outbound = "moved";
      this.#host.control(FRAME.move, this.id);
      // A reader that has let this wait for credit need not any more.
      if (this.#writing.length > 0) {
        const rest = this.#writing;
        this.#writing = NOTHING;
        route.write(rest).then(() => this.#written(), (error) => this.#refuseWrite(error));
      }
    }
    // A direction that has ended stays silent there: an end that nobody reads would have the other
    // end's system throw away what it has not sent yet, as it closes.
    this.#deadline?.cancel();
    if (this.#inbound === "open") this.#expectOther();
    this.wake();
    this.#forgetWhenOver();
  }

  #readOn(max?: number): Promise<Uint8Array | null> {
    const first = this.#first;
    if (first === undefined) return this.#route?.read(max) ?? END;
    this.#first = undefined;
    return first;
  }

  /** What was lent is taken: that is what the other end gets credit for. */
  #settle(): void {
    const taken = this.#lent;
    if (taken === 0) return;
    this.#lent = 0;
    if (this.#inbound !== "open" || this.#forgotten) return;
    const grant = this.#window.taken(taken);
    if (grant > 0) this.#host.control(FRAME.window, this.id, encodeCredit(grant));
  }

  #writeInParts(bytes: Uint8Array): Promise<void> {
    if (this.#outbound === "ended") {
      return Promise.reject(new RatholeError("closed", "this direction has ended"));
    }
    this.#writing = bytes;
    const written = new Promise<void>((resolve, reject) => {
      this.#resolveWrite = resolve;
      this.#rejectWrite = reject;
    });
    this.#continue();
    return written;
  }

  /** Sends a frame if there is room; the rest waits for its turn among others. */
  #continue(): void {
    const { outbox } = this.#host;
    if (this.#credit === 0) this.#host.counters.stalls++;
    else if (outbox.room <= 0 || this.put()) this.#host.wait(this);
  }

  #written(): void {
    this.#resolveWrite?.();
    this.#resolveWrite = this.#rejectWrite = undefined;
  }

  #refuseWrite(error: unknown): void {
    this.#rejectWrite?.(error);
    this.#resolveWrite = this.#rejectWrite = undefined;
  }

  #leaveInbound(to: Direction): void {
    if (this.#inbound !== "open") throw misplaced(to, this.id);
    this.#inbound = to;
    this.#window.close();
    this.#deadline?.cancel();
    this.#host.ready(this);
    this.#forgetWhenOver();
  }

  #expectOther(): void {
    this.#deadline = this.#host.clock.after(MOVE_TIMEOUT, () => {
      this.abort(new RatholeError("timeout", "the other end did not follow to a data channel"));
    });
  }

  #forgetWhenOver(): void {
    if (this.#inbound === "open" || this.#outbound === "open") return;
    // Whoever brings the data channel asks for it by its number.
    if (this.#inbound === "moved" && this.#route === undefined) return;
    this.#forget();
  }

  #forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    if (this.#inbound === "open") this.#window.close();
    this.#host.over(this);
  }

  #meterBytes(count: number, outgoing: boolean): void {
    const meter = this.#meter;
    if (meter === undefined || this.moving || !meter.count(count, outgoing)) return;
    if (meter.judge(this.#host.clock.now())) this.#host.bulky?.(this);
  }
}

function misplaced(what: string, id: number): RatholeError {
  return new RatholeError("protocol", `${what} after the end of stream ${id}`);
}

/** What the other end is told of the reason for which a stream is aborted. */
function resetCode(reason: unknown): number {
  if (reason === undefined) return RESET.over;
  const code = reason instanceof RatholeError ? reason.code : undefined;
  const unreachable = code === "connect" || code === "resolve" || code === "permission";
  return unreachable ? RESET.unreachable : RESET.cut;
}

function resetError(code: number | undefined): RatholeError {
  return code === RESET.unreachable
    ? new RatholeError("connect", "the client could not reach the service")
    : new RatholeError("closed", "the other end has closed the stream");
}
