/**
 * Frames on their way into a carrier's connection.
 *
 * @module
 */

import { type BufferStore, rungFor } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import { RatholeError } from "../runtime/errors.ts";
import { FRAME, FRAME_HEADER_LENGTH, writeHeader } from "./frame.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of streams that may wait for the write before them. */
const HIGH = 256 * 1024;
/**
 * Bytes that may wait in all, frames of the carrier itself included: their number is bounded by that
 * of streams, so whoever makes so many of them due reads none.
 */
const MOST = 4 * 1024 * 1024;
/** So many bytes are worth a write of their own. */
const PROMPT = 64 * 1024;

const NONE: Bytes = new Uint8Array(0);
const NOTHING = new Uint8Array(0);
const OWN = -1;

/** What an outbox tells its carrier. */
export interface OutboxEvents {
  /** There is room again for bytes of streams. */
  relief(): void;
  /** A write has failed; nothing more is written. */
  failed(error: unknown): void;
}

/**
 * Collects frames and writes them, one write at a time: those that are ready in one turn of the
 * event loop, and those that came while a write was under way, share a system call. Nothing waits on
 * a timer.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #store: BufferStore;
  readonly #events: OutboxEvents;
  #filling = NONE;
  #rung = OWN;
  #filled = 0;
  #writing = NONE;
  #writingRung = OWN;
  #busy = false;
  #scheduled = false;
  #over = false;
  #drained: (() => void) | undefined;

  /** Writes to a connection that nobody else writes to. */
  constructor(connection: Connection, store: BufferStore, events: OutboxEvents) {
    this.#connection = connection;
    this.#store = store;
    this.#events = events;
  }

  /** Bytes of streams for which there is room; below 1 there is none. */
  get room(): number {
    return HIGH - this.#filled;
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#filled;
  }

  /** Adds a frame whatever the room. @throws {RatholeError} `limit` when the peer reads nothing */
  control(type: number, stream: number, payload: Uint8Array = NOTHING): void {
    if (this.#filled > MOST) {
      throw new RatholeError("limit", "the other end of a carrier does not read it");
    }
    this.#frame(type, stream, payload);
  }

  /** Adds bytes of a stream, for which there must be room. */
  data(stream: number, bytes: Uint8Array): void {
    this.#frame(FRAME.data, stream, bytes);
  }

  /** Resolves when all that was added is written, or nothing is written any more. */
  drain(): Promise<void> {
    if (this.#over || !this.#busy && this.#filled === 0) return Promise.resolve();
    return new Promise((resolve) => void (this.#drained = resolve));
  }

  /** Nothing is written any more. */
  close(): void {
    this.#over = true;
    // A write may still be under way in the other.
    if (this.#rung !== OWN) this.#store.give(this.#rung, this.#filling);
    if (this.#writingRung !== OWN) this.#store.forget(this.#writingRung);
    this.#filling = this.#writing = NONE;
    this.#rung = this.#writingRung = OWN;
    this.#filled = 0;
    this.#drained?.();
  }

  #frame(type: number, stream: number, payload: Uint8Array): void {
    if (this.#over) return;
    const start = this.#filled;
    const end = start + FRAME_HEADER_LENGTH + payload.length;
    if (end > this.#filling.length) this.#grow(end);
    writeHeader(this.#filling, start, type, stream, payload.length);
    if (payload.length > 0) this.#filling.set(payload, start + FRAME_HEADER_LENGTH);
    this.#filled = end;
    if (this.#busy) return;
    if (end < PROMPT) return this.#schedule();
    // Whoever adds a frame is not called back while he does.
    if (this.#write()) queueMicrotask(this.#relieve);
  }

  #grow(needed: number): void {
    const rung = rungFor(Math.max(needed, 2 * this.#filling.length));
    const buffer = rung === OWN ? undefined : this.#store.take(rung);
    const grown = buffer ?? new Uint8Array(Math.max(needed, 2 * this.#filling.length));
    grown.set(this.#filling.subarray(0, this.#filled));
    if (this.#rung !== OWN) this.#store.give(this.#rung, this.#filling);
    this.#filling = grown;
    this.#rung = buffer === undefined ? OWN : rung;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Two microtasks: streams whose bytes came in the same turn are as far as this one by then.
    queueMicrotask(this.#soon);
  }

  readonly #soon = (): void => queueMicrotask(this.#turnOver);

  readonly #turnOver = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  readonly #relieve = (): void => {
    if (!this.#over) this.#events.relief();
  };

  #flush(): void {
    if (this.#write()) this.#relieve();
  }

  /** Writes what there is, unless a write is under way; whether it does. */
  #write(): boolean {
    if (this.#busy || this.#over || this.#filled === 0) return false;
    const batch = this.#filling.subarray(0, this.#filled);
    this.#writing = this.#filling;
    this.#writingRung = this.#rung;
    this.#filling = NONE;
    this.#rung = OWN;
    this.#filled = 0;
    this.#busy = true;
    this.#connection.write(batch).then(this.#onWritten, this.#onError);
    return true;
  }

  readonly #onWritten = (): void => {
    this.#busy = false;
    if (this.#writingRung !== OWN) this.#store.give(this.#writingRung, this.#writing);
    this.#writing = NONE;
    this.#writingRung = OWN;
    if (this.#filled > 0) return this.#flush();
    this.#drained?.();
    this.#drained = undefined;
  };

  readonly #onError = (error: unknown): void => {
    if (this.#over) return;
    this.close();
    this.#events.failed(error);
  };
}
