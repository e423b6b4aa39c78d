/**
 * A connection that many streams share (`docs/carriers.md`).
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { ForwardCommand } from "../protocol/messages.ts";
import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { othersTurn } from "../runtime/turn.ts";
import type { CarrierCounters } from "./counters.ts";
import { WindowBudget } from "./credit.ts";
import { decodeCredit, FRAME, FrameDecoder, type FrameSink, RESET } from "./frame.ts";
import { Numbers } from "./numbers.ts";
import { Outbox } from "./outbox.ts";
import { Probe } from "./probe.ts";
import { Stream } from "./stream.ts";
import type { StreamHost } from "./stream_host.ts";
import { Streams } from "./streams.ts";

/** Streams that may be open on one carrier. */
export const MOST_STREAMS = 16_384;
/** Milliseconds that what was sent last, and the other end, may take when a carrier is left. */
const LEAVE_TIMEOUT = 5_000;
/** Bytes after which everybody else gets a turn, whatever the other end sends. */
const TURN = 1024 * 1024;
/** What a frame counts for besides its bytes: a flood of small ones costs more than its bytes. */
const FRAME_COST = 1024;
/** Bytes that are looked at in a row. */
const PIECE = 16 * 1024;

const KINDS: readonly ForwardCommand[] = ["forward-tcp", "forward-udp"];

/** What a carrier is made of. */
export interface CarrierOptions {
  /** Its connection, which has said hello. */
  readonly connection: Connection;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** Times everything. */
  readonly clock: Clock;
  /** What to count. */
  readonly counters: CarrierCounters;
  /** Milliseconds of silence after which the other end is asked whether it is there; 0 never. */
  readonly quiet: number;
  /** Takes a stream that the other end opens; without, it may open none. */
  readonly accept?: ((stream: Stream, command: ForwardCommand) => void) | undefined;
  /** Hears of streams that move bulk. */
  readonly bulky?: ((stream: Stream) => void) | undefined;
}

/** How a carrier has ended. */
export interface CarrierEnd {
  /** Why. */
  readonly reason: unknown;
  /** How many streams it has cut. */
  readonly cut: number;
}

/** See the module. Somebody must {@linkcode Carrier.run} it. */
export class Carrier {
  readonly #options: CarrierOptions;
  readonly #outbox: Outbox;
  readonly #host: StreamHost;
  readonly #streams = new Streams();
  readonly #numbers = new Numbers();
  #answering = false;
  /** Frames since the last look at whose turn it is. */
  #frames = 0;
  #probe: Probe | undefined;
  #deadline: Deadline | undefined;
  #retired = false;
  #leaving = false;
  #failed = false;
  #reason: unknown;
  #cut = 0;
  #emptied: (() => void) | undefined;

  /** Takes the connection over. */
  constructor(options: CarrierOptions) {
    const { buffers, bulky, clock, connection, counters } = options;
    this.#options = options;
    this.#outbox = new Outbox(connection, buffers, {
      relief: () => {
        this.#answering = false;
        this.#streams.serve(this.#outbox);
      },
      failed: (error) => this.abort(error),
    });
    this.#host = {
      peer: connection.peer,
      buffers,
      clock,
      counters,
      bulky,
      budget: new WindowBudget(),
      outbox: this.#outbox,
      control: (type, stream, payload) => this.#control(type, stream, payload),
      ready: (stream) => this.#streams.ready(stream),
      wait: (sending) => this.#streams.wait(sending),
      over: (stream) => this.#over(stream),
    };
  }

  /** Streams that are open on it. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Bytes that wait: for readers, for credit, or for the connection. */
  get queued(): number {
    return this.#outbox.queued + this.#streams.queued;
  }

  /** Whether streams can be opened. */
  get open(): boolean {
    return !this.#failed && !this.#retired && this.#streams.size < MOST_STREAMS;
  }

  /** The stream of this number. */
  stream(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  /** Opens a stream, whose number must be newer than all before; bytes may follow at once. */
  begin(id: number, command: ForwardCommand): Stream {
    this.#numbers.opened(id);
    const stream = this.#add(id);
    this.#control(FRAME.open, id, Uint8Array.of(KINDS.indexOf(command)));
    return stream;
  }

  /** Carries until it is over; never rejects. */
  async run(): Promise<CarrierEnd> {
    const { clock, connection, quiet } = this.#options;
    const decoder = new FrameDecoder();
    this.#probe = new Probe({
      clock,
      quiet,
      ask: () => this.#control(FRAME.ping, 0),
      silent: (error) => this.abort(error),
    });
    // It may have been left, or retired, before it began.
    if (this.#failed || this.#leaving) this.#probe.cancel();
    let unshared = 0;
    try {
      connection.setNoDelay(true);
      for (;;) {
        const chunk = await connection.read();
        if (chunk === null) {
          const reason = new RatholeError("closed", "the other end closed the carrier");
          await this.#beLeft(reason);
          throw reason;
        }
        this.#probe.heard = true;
        for (let at = 0; at < chunk.length; at += PIECE) {
          const piece = chunk.subarray(at, at + PIECE);
          try {
            decoder.decode(piece, this.#sink);
          } finally {
            // Also before an error: who is over already is not told of the carrier's end.
            this.#streams.wake();
          }
          unshared += piece.length + this.#frames * FRAME_COST;
          this.#frames = 0;
          if (unshared >= TURN) {
            unshared = 0;
            await othersTurn();
            if (this.#failed) break;
          }
        }
      }
    } catch (error) {
      this.abort(error);
    }
    return { reason: this.#reason, cut: this.#cut };
  }

  /**
   * The other end has left. Streams that wait for nothing but their data channels are still asked for
   * here by whoever brings those; others are lost.
   */
  async #beLeft(reason: unknown): Promise<void> {
    if (this.#failed || this.#streams.size === 0) return;
    this.#probe?.cancel();
    this.#deadline?.cancel();
    // Nobody hears what is said, and who is left need not leave.
    this.#outbox.close();
    this.#retired = this.#leaving = true;
    this.#cut += this.#streams.lose(reason, "needing");
    if (this.#streams.size === 0) return;
    await new Promise<void>((resolve) => void (this.#emptied = resolve));
  }

  /** Asks the other end now whether it is there. */
  probe(): void {
    if (!this.#failed && !this.#leaving) this.#probe?.ask();
  }

  /** Opens no stream any more, and ends with the last one. */
  retire(): void {
    this.#retired = true;
    this.#leaveWhenEmpty();
  }

  /**
   * Its session has ended for a reason: its streams live on, and it retires, except where the other
   * end was found silent. Nobody is there for them either then.
   */
  outlive(reason: unknown): void {
    if (reason instanceof RatholeError && reason.code === "timeout") this.abort(reason);
    else this.retire();
  }

  /** Opens streams again after it was retired; false where it is too late. */
  resume(): boolean {
    if (this.#leaving || this.#failed) return false;
    this.#retired = false;
    return true;
  }

  /** Ends it and all its streams at once. Idempotent. */
  abort(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#reason = reason;
    this.#probe?.cancel();
    this.#deadline?.cancel();
    this.#outbox.close();
    this.#options.connection.abort(reason);
    this.#cut += this.#streams.lose(reason, "all");
  }

  readonly #sink: FrameSink = {
    data: (id, bytes) => {
      this.#frames++;
      const stream = this.#streams.get(id);
      if (stream === undefined) this.#requireKnown(id);
      else stream.deliver(bytes);
    },
    control: (type, id, payload) => this.#hear(type, id, payload),
  };

  #hear(type: number, id: number, payload: Uint8Array): void {
    this.#frames++;
    if (this.#failed) return;
    if (type === FRAME.open) return this.#accept(id, payload);
    if (type === FRAME.ping) return this.#answer();
    if (type === FRAME.pong || type > FRAME.pong || type === 0) return;
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#requireKnown(id);
    switch (type) {
      case FRAME.window:
        return stream.sending.granted(decodeCredit(payload));
      case FRAME.fin:
        return stream.left("ended");
      case FRAME.move:
        return stream.left("moved");
      case FRAME.reset:
        return stream.reset(payload[0]);
    }
  }

  #accept(id: number, payload: Uint8Array): void {
    const { accept } = this.#options;
    const command = KINDS[payload[0] ?? KINDS.length];
    if (
      accept === undefined || id === 0 || !this.#numbers.isNew(id) ||
      this.#streams.get(id) !== undefined
    ) {
      throw new RatholeError("protocol", `stream ${id} must not be opened`);
    }
    if (this.#streams.size >= MOST_STREAMS) {
      throw new RatholeError("limit", `more than ${MOST_STREAMS} streams on a carrier`);
    }
    this.#numbers.opened(id);
    if (this.#retired || command === undefined) {
      return this.#control(FRAME.reset, id, Uint8Array.of(RESET.cut));
    }
    accept(this.#add(id), command);
  }

  #add(id: number): Stream {
    const stream = new Stream(id, this.#host);
    this.#streams.add(stream);
    this.#options.counters.opened++;
    return stream;
  }

  /** Frames of streams that are over here may still be on their way; of others there are none. */
  #requireKnown(id: number): void {
    if (this.#numbers.isNew(id)) {
      throw new RatholeError("protocol", `a frame of stream ${id}, which was never opened`);
    }
  }

  #answer(): void {
    // One answer in a write is enough for all questions that came before it.
    if (this.#answering) return;
    this.#answering = true;
    this.#control(FRAME.pong, 0);
  }

  #control(type: number, stream: number, payload?: Uint8Array): void {
    if (this.#failed) return;
    try {
      this.#outbox.control(type, stream, payload);
    } catch (error) {
      this.abort(error);
    }
  }

  #over(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#emptied?.();
    if (this.#retired) this.#leaveWhenEmpty();
  }

  #leaveWhenEmpty(): void {
    if (this.#leaving || this.#failed || this.#streams.size > 0) return;
    this.#leaving = true;
    this.#probe?.cancel();
    const { clock, connection } = this.#options;
    const over = new RatholeError("aborted", "the carrier is not needed any more");
    this.#deadline = clock.after(LEAVE_TIMEOUT, () => this.abort(over));
    // What was said last must arrive, so the other end closes first.
    this.#outbox.drain().then(() => {
      this.#outbox.close();
      return connection.closeWrite();
    }).catch((error) => this.abort(error));
  }
}
