/**
 * The direction of a stream in which this end receives.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import { RatholeError } from "../runtime/errors.ts";
import { ReceiveWindow, type WindowBudget } from "./credit.ts";
import type { Direction } from "./direction.ts";
import { Inbox } from "./inbox.ts";

/** What a read gives. */
export type Chunk = Uint8Array | null;

/** Bytes are kept until they are read, and what was read is what the other end gets credit for. */
export class Receiving {
  /** Whether frames may follow. */
  state: Direction = "open";
  /** At most how many bytes the reader who waits wants. */
  max: number | undefined;
  readonly #inbox: Inbox;
  readonly #window: ReceiveWindow;
  /** Bytes that the reader has at the moment. */
  #lent = 0;
  #closed = false;
  #resolve: ((chunk: Chunk | Promise<Chunk>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  /** Nothing has come yet. */
  constructor(buffers: BufferStore, budget: WindowBudget) {
    this.#inbox = new Inbox(buffers);
    this.#window = new ReceiveWindow(budget);
  }

  /** Bytes that have come and were not read. */
  get queued(): number {
    return this.#inbox.size;
  }

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#resolve !== undefined;
  }

  /** Bytes have come. @throws {RatholeError} `protocol` where the other end had no credit */
  deliver(bytes: Uint8Array): void {
    if (!this.#window.received(bytes.length)) {
      throw new RatholeError("protocol", "more bytes of a stream than it has credit for");
    }
    this.#inbox.push(bytes);
  }

  /** What was lent is taken. @returns credit to grant now, mostly 0 */
  settle(): number {
    const taken = this.#lent;
    this.#lent = 0;
    return taken > 0 && !this.#closed ? this.#window.taken(taken) : 0;
  }

  /** What there is, lent until the next call; null when there is nothing. */
  take(max: number | undefined): Uint8Array | null {
    const chunk = this.#inbox.take(max);
    if (chunk !== null) this.#lent = chunk.length;
    return chunk;
  }

  /** A read that waits for what comes. */
  wait(max: number | undefined): Promise<Chunk> {
    this.max = max;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Gives the reader who waits something. */
  give(chunk: Chunk | Promise<Chunk>): void {
    const resolve = this.#resolve;
    this.#resolve = this.#reject = undefined;
    resolve?.(chunk);
  }

  /** No frame of this direction follows. */
  leave(to: Direction): void {
    this.state = to;
    this.close();
  }

  /** Others may have the credit that it had. */
  close(): void {
    this.#closed = true;
    this.#window.close();
  }

  /** Nobody reads any more; ends the read that is under way, if any. */
  refuse(error: () => unknown): void {
    this.#inbox.abandon();
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    if (reject !== undefined) reject(error());
  }
}
