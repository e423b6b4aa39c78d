/**
 * The direction of a stream in which this end sends.
 *
 * @module
 */

import { type Connection, WRITTEN } from "../net/connection.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { CarrierCounters } from "./counters.ts";
import { INITIAL_WINDOW, MOST_CREDIT } from "./credit.ts";
import type { Direction } from "./direction.ts";
import { FRAME, MOST_DATA } from "./frame.ts";
import type { Outbox } from "./outbox.ts";

const NOTHING = new Uint8Array(0);
/** What sending needs of the carrier. */
export interface SendingHost {
  /** Where frames go. */
  readonly outbox: Outbox;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** Sends a frame other than data. */
  control(type: number, stream: number, payload?: Uint8Array): void;
  /** There are bytes and credit: {@linkcode Sending.put} is to be called when there is room. */
  wait(sending: Sending): void;
}

/** Bytes leave as far as there is credit and room; at most one write waits for more of either. */
export class Sending {
  /** Whether frames may follow. */
  state: Direction = "open";
  readonly #id: number;
  readonly #host: SendingHost;
  #credit = INITIAL_WINDOW;
  /** What waits of the write that is under way. */
  #rest: Uint8Array = NOTHING;
  #resolve: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  /** Of the stream of this number. */
  constructor(id: number, host: SendingHost) {
    this.#id = id;
    this.#host = host;
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#rest.length;
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.#reject !== undefined;
  }

  /** Sends bytes, of which there is at least one; resolves when the last has left. */
  send(bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    if (length <= this.#credit && length <= MOST_DATA) {
      const { outbox } = this.#host;
      if (outbox.room > 0) {
        this.#credit -= length;
        outbox.data(this.#id, bytes);
        return WRITTEN;
      }
    }
    this.#rest = bytes;
    const sent = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#continue();
    return sent;
  }

  /** Sends one frame of what waits; whether there is more that could go. */
  put(): boolean {
    const count = Math.min(this.#rest.length, this.#credit, MOST_DATA);
    // What waited may have gone another way meanwhile.
    if (count === 0) return false;
    this.#credit -= count;
    const frame = this.#rest.subarray(0, count);
    // First: what fills the outbox may have it call back.
    this.#rest = this.#rest.subarray(count);
    this.#host.outbox.data(this.#id, frame);
    if (this.#rest.length === 0) {
      this.#sent();
      return false;
    }
    if (this.#credit > 0) return true;
    this.#host.counters.stalls++;
    return false;
  }

  /** The other end takes so many bytes more. @throws {RatholeError} `protocol` for absurd numbers */
  granted(credit: number): void {
    this.#credit += credit;
    if (this.#credit > MOST_CREDIT) throw new RatholeError("protocol", "credit without end");
    if (this.#rest.length > 0) this.#continue();
  }

  /** Nothing more is sent. */
  end(): void {
    this.state = "ended";
    this.#host.control(FRAME.fin, this.#id);
  }

  /** What follows goes there; so does what has waited for credit, which is not needed any more. */
  moveTo(route: Connection): void {
    this.state = "moved";
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.#host.control(FRAME.move, this.#id);
    if (rest.length === 0) return;
    route.write(rest).then(() => this.#sent(), (error) => this.refuse(error));
  }

  /** Nothing more can be sent: ends the write that is under way, if any. */
  refuse(error: unknown): void {
    this.#rest = NOTHING;
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    reject?.(error);
  }

  /** Sends a frame if there is room; the rest waits for its turn among others. */
  #continue(): void {
    if (this.#credit === 0) this.#host.counters.stalls++;
    else if (this.#host.outbox.room <= 0 || this.put()) this.#host.wait(this);
  }

  #sent(): void {
    const resolve = this.#resolve;
    this.#resolve = this.#reject = undefined;
    resolve?.();
  }
}
