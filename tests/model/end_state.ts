/**
 * What becomes of one end of a stream: which frames it hears, what is done to it.
 *
 * @module
 */

import { INITIAL_WINDOW, MOST_WINDOW } from "../../src/carrier/credit.ts";
import type { Stream } from "../../src/carrier/stream.ts";
import { ANYTHING, type Court, type Expected, Failure } from "./court.ts";
import type { StreamModel } from "./stream_model.ts";
import type { Side, WireEnd } from "./wire.ts";

/** Milliseconds that an end waits for the other to follow it. */
const MOVE_TIMEOUT = 40_000;

/** Types of frames as they are on the wire. */
const [WINDOW, FIN, RESET, MOVE] = [3, 4, 5, 6];
/** What a reset says of an end that was closed as a socket is. */
export const OVER = 0;

/** A call that has not settled. */
export interface Call {
  readonly what: "read" | "write" | "closeWrite";
  /** Bytes at most, or to write. */
  readonly bytes: number;
  /** Set where it was made after the end had failed. */
  readonly failure: Expected | undefined;
  /** Whether it was made after the other end had reset the stream. */
  readonly reset: boolean;
}

type Direction = "open" | "ended" | "moved";

/** State of one end of a stream, and what becomes of it. */
export class EndState {
  readonly side: Side;
  readonly of: StreamModel;
  stream: Stream | undefined;
  inbound: Direction = "open";
  outbound: Direction = "open";
  /** Where it goes on. */
  route: WireEnd | undefined;
  /** Whether the carrier is to know it no more. */
  over = false;
  failed: Expected | undefined;
  /** What the other end has reset it with. */
  resetCode: number | undefined;
  /** Whether that came when all bytes had come over the carrier. */
  mustEnd = false;
  /** Bytes that have come over the carrier. */
  arrived = 0;
  /** Bytes that it may still send over the carrier. */
  credit = INITIAL_WINDOW;
  /** Bytes that were read, that were written, and that were given to be written. */
  taken = 0;
  written = 0;
  offered = 0;
  /** Whether the other end is to be told that it was aborted. */
  owesReset = false;
  /** Bytes that were written when it was aborted. */
  writtenAtAbort: number | undefined;
  /** When it gives up on the other end. */
  followBy: number | undefined;
  /** Whether its direction was ended. */
  ended = false;
  /** Whether a read has found the end. */
  sawEnd = false;
  /** What calls were rejected with first. */
  error: unknown;
  /** What has not settled. */
  reader: Call | undefined;
  writer: Call | undefined;
  protected readonly court: Court;
  /** Whether a read of the data channel was under way when it moved. */
  protected firstDue = false;

  /** Exists once it has a stream. */
  constructor(of: StreamModel, side: Side, court: Court) {
    this.of = of;
    this.side = side;
    this.court = court;
  }

  /** The other end. */
  get other(): EndState {
    return this.of.ends[this.side === 0 ? 1 : 0];
  }

  /** Whether the carrier is to know it. */
  get known(): boolean {
    return this.stream !== undefined && !this.over;
  }

  /** Whether nothing but itself and the other end has ended it. */
  get endedByItself(): boolean {
    return this.over && this.failed === undefined && this.resetCode === undefined;
  }

  /** Bytes have come over the carrier. */
  bytesArrived(count: number): void {
    if (this.over) return;
    if (this.inbound !== "open") this.violate(`bytes after ${this.inbound}`);
    this.arrived += count;
    const queued = this.arrived - this.taken;
    if (queued > MOST_WINDOW) this.violate(`${queued} bytes wait, more than a window has`);
  }

  /** A frame has come over the carrier. */
  frameArrived(type: number, value: number, now: number): void {
    if (this.over) return;
    const { tally } = this.court;
    if (type === WINDOW) {
      this.credit += value;
      tally.count("grants of credit");
    } else if (type === FIN || type === MOVE) {
      if (this.inbound !== "open") this.violate(`frame ${type} after ${this.inbound}`);
      this.inbound = type === FIN ? "ended" : "moved";
      this.followBy = type === MOVE && this.route === undefined ? now + MOVE_TIMEOUT : undefined;
      this.updateOver();
    } else if (type === RESET) {
      tally.count("resets heard");
      if (this.route !== undefined) tally.count("resets heard while half moved");
      if (this.inbound === "moved") tally.count("resets heard while the channel is awaited");
      this.resetCode = value;
      this.mustEnd = value === OVER && this.inbound !== "moved";
      this.over = true;
      this.followBy = undefined;
    }
  }

  /** Frames of bytes were sent over the carrier. */
  bytesSent(count: number): void {
    this.credit -= count;
    if (this.credit < 0) this.violate("more bytes sent than there was credit for");
  }

  /** It is aborted by whoever uses it. */
  abort(reason: unknown): void {
    if (this.failed !== undefined) return;
    this.trace(`abort ${reason === undefined ? "" : String(reason)}`);
    const harmless = this.endedByItself && this.ended && this.sawEnd;
    this.owesReset = this.known;
    this.writtenAtAbort ??= this.written;
    if (reason !== undefined) this.of.reasons.push(reason);
    this.#fail(reason === undefined ? new Failure([], "aborted") : new Failure([reason]));
    if (!harmless) this.of.cut = true;
  }

  /** Its carrier is lost; without a reason where the other end has closed it. */
  carrierLost(reason: unknown, now: number): void {
    if (!this.known) return;
    this.expire(now - 1);
    if (this.failed !== undefined) return;
    const late = this.followBy === now;
    this.court.tally.count("streams cut with a carrier");
    if (this.route !== undefined || this.inbound === "moved") {
      this.court.tally.count("streams cut with a carrier, half moved");
    }
    if (late) this.#fail(ANYTHING);
    else this.#fail(reason === undefined ? new Failure([], "closed") : new Failure([reason]));
    this.of.loseChannel();
  }

  /** Time has passed. */
  expire(now: number): void {
    if (this.over || this.followBy === undefined || this.followBy > now) return;
    this.court.tally.count("moves that were given up");
    this.#fail(new Failure([], "timeout"));
    this.of.loseChannel();
  }

  /** The real one has given up by itself, where it may. */
  giveUp(): void {
    if (!this.mayGiveUp()) return;
    this.court.tally.count("ends that gave up with their channel");
    this.#fail(ANYTHING);
  }

  /** It goes on over a data channel; false where it cannot. */
  moveTo(route: WireEnd, now: number, first: boolean): boolean {
    if (this.over || this.route !== undefined) return false;
    const { tally } = this.court;
    tally.count("ends that moved");
    if (this.writer?.what === "write") tally.count("ends that moved with a write under way");
    if (this.reader !== undefined) tally.count("ends that moved with a read under way");
    if (this.arrived > this.taken) tally.count("ends that moved with bytes to be read");
    if (this.side === 1 && this.of.ends[0].route === undefined) {
      tally.count("ends that moved, the client first");
    }
    this.route = route;
    this.firstDue = first;
    if (this.outbound === "open") this.outbound = "moved";
    this.followBy = this.inbound === "open" ? now + MOVE_TIMEOUT : undefined;
    this.updateOver();
    return true;
  }

  /** What is wrong where nothing is left to happen by itself: whoever waits must have a reason to. */
  findStuck(blocked: boolean): string | undefined {
    const { reader, stream, writer } = this;
    if (stream === undefined) return undefined;
    if (reader !== undefined && !this.#mayWaitToRead()) return this.#name("a read is not served");
    if (writer !== undefined) {
      return this.#mayWaitToWrite(blocked)
        ? undefined
        : this.#name(`a ${writer.what} is not served`);
    }
    const queued = Math.max(0, this.arrived - this.taken);
    if (this.failed !== undefined || stream.queued === queued) return undefined;
    if (stream.queued === 0 && this.mayGiveUp()) return undefined;
    return this.#name(`${stream.queued} bytes are queued, not ${queued}`);
  }

  /** Whether its data channel is lost, with what was to be written there. */
  protected mayGiveUp(): boolean {
    const { channel, lossy } = this.of;
    if (!lossy || this.route === undefined || channel === undefined) return false;
    return channel.wire.cut || channel.wire.ends.some(({ aborted }) => aborted);
  }

  #mayWaitToRead(): boolean {
    if (this.failed !== undefined || this.resetCode !== undefined) return false;
    if (this.taken < this.arrived || this.inbound === "ended") return false;
    return this.inbound === "open" || this.route === undefined || this.route.reading;
  }

  #mayWaitToWrite(blocked: boolean): boolean {
    if (this.failed !== undefined || this.resetCode !== undefined) return false;
    if (this.outbound === "open") return blocked || this.credit === 0;
    return this.route !== undefined && (this.route.writing || this.route.closing);
  }

  #fail(failure: Expected): void {
    this.failed = failure;
    this.over = true;
    this.followBy = undefined;
  }

  /** Whether nothing is to come or to go over the carrier any more. */
  protected updateOver(): void {
    if (this.over || this.inbound === "open" || this.outbound === "open") return;
    if (this.inbound === "moved" && this.route === undefined) return;
    this.over = true;
    if (this.route === undefined) return;
    const { other } = this;
    const { tally } = this.court;
    tally.count("ends that moved completely");
    if (other.over && other.route !== undefined) tally.count("moves completed");
  }

  /** Tells people. */
  protected trace(what: string): void {
    if (this.court.traced) this.court.trace(this.#name(what));
  }

  /** Tells what is wrong. */
  protected violate(what: string): void {
    this.court.violate(this.#name(what));
  }

  #name(what: string): string {
    return `stream ${this.of.index} at the ${this.side === 0 ? "server" : "client"}: ${what}`;
  }
}
