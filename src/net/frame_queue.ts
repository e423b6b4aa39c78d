/**
 * Datagrams on their way into a data channel.
 *
 * @module
 */

import { udpFrameLength, writeUdpFrame } from "../protocol/udp_frame.ts";
import type { Connection } from "./connection.ts";

/** The most bytes that wait while the write before them is under way. */
const LIMIT = 256 * 1024;
/** What a queue starts with. */
const INITIAL = 2 * 1024;
/** So many bytes are worth a write of their own. */
const PROMPT = 64 * 1024;

/**
 * Collects frames while a write is under way and until the socket that they came from was asked in
 * vain, and sends what was collected in one write: datagrams that arrive together share a system
 * call. A channel that does not keep up costs datagrams, which the caller counts, and never more
 * than two buffers of 256 KiB.
 */
export class FrameQueue {
  #filling = new Uint8Array(INITIAL);
  #filled = 0;
  /** For the next batch; undefined while somebody still writes what was in it. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #wake: (() => void) | null = null;
  /** Whether it is woken when this turn of the event loop is over. */
  #scheduled = false;
  #ended = false;

  /** Adds a datagram; false when there is no room for it. */
  push(ip: Uint8Array, port: number, payload: Uint8Array): boolean {
    const needed = this.#filled + udpFrameLength(ip, payload);
    if (needed > LIMIT) return false;
    if (needed > this.#filling.length) {
      const grown = new Uint8Array(Math.min(LIMIT, Math.max(needed, 2 * this.#filling.length)));
      grown.set(this.#filling.subarray(0, this.#filled));
      this.#filling = grown;
    }
    this.#filled = writeUdpFrame(this.#filling, this.#filled, ip, port, payload);
    if (this.#filled >= PROMPT) this.#wake?.();
    else this.#schedule();
    return true;
  }

  /** Nothing more is pushed: what is there is still written. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Datagrams that are there are received one after the other within one turn of the event loop. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#wake?.();
    });
  }

  /**
   * Writes whatever is pushed, until it has ended, the signal is aborted or a write fails.
   *
   * @throws {RatholeError} what the connection's `write` throws; the frames of that write are lost.
   */
  async drainInto(connection: Connection, signal: AbortSignal): Promise<void> {
    // A drain of the channel before may still be on its way out: each wakes and clears its own.
    let wakeMine = () => {};
    const wake = () => wakeMine();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        if (this.#filled === 0) {
          if (this.#ended) return;
          const { promise, resolve } = Promise.withResolvers<void>();
          this.#wake = wakeMine = resolve;
          await promise;
          if (this.#wake === resolve) this.#wake = null;
          continue;
        }
        const full = this.#filling;
        const batch = full.subarray(0, this.#filled);
        this.#filling = this.#spare ?? new Uint8Array(INITIAL);
        this.#spare = undefined;
        this.#filled = 0;
        await connection.write(batch);
        this.#spare = full;
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
