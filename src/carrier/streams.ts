/**
 * The streams of one carrier, and whose turn it is.
 *
 * @module
 */

import type { Outbox } from "./outbox.ts";
import type { Sending } from "./sending.ts";
import type { Stream } from "./stream.ts";

/** See the module. */
export class Streams {
  readonly #all = new Map<number, Stream>();
  /** Those that have bytes and credit, and wait for room, in turn. */
  readonly #waiting = new Set<Sending>();
  /** Those whose readers wait for what has come. */
  #ready: Stream[] = [];

  /** How many are open. */
  get size(): number {
    return this.#all.size;
  }

  /** Bytes of them that wait. */
  get queued(): number {
    let queued = 0;
    for (const stream of this.#all.values()) queued += stream.queued;
    return queued;
  }

  /** The one of this number. */
  get(id: number): Stream | undefined {
    return this.#all.get(id);
  }

  /** One more. */
  add(stream: Stream): void {
    this.#all.set(stream.id, stream);
  }

  /** One less. */
  delete(stream: Stream): void {
    this.#waiting.delete(stream.sending);
    this.#all.delete(stream.id);
  }

  /** Ends those that the carrier is needed for, or all of them; returns how many. */
  lose(reason: unknown, which: "all" | "needing"): number {
    const lost = [...this.#all.values()].filter(({ leaves }) => which === "all" || !leaves);
    for (const stream of lost) stream.lost(reason);
    return lost.length;
  }

  /** Something has come for its reader, who is woken when all that came together is sorted out. */
  ready(stream: Stream): void {
    this.#ready.push(stream);
  }

  /** Wakes readers. */
  wake(): void {
    const ready = this.#ready;
    if (ready.length === 0) return;
    this.#ready = [];
    for (const stream of ready) stream.wake();
  }

  /** It sends when there is room. */
  wait(sending: Sending): void {
    this.#waiting.add(sending);
  }

  /** Has those that wait send a frame each in turn, so that none holds up the others. */
  serve(outbox: Outbox): void {
    // What is added meanwhile comes last, and is come to.
    for (const sending of this.#waiting) {
      if (outbox.room <= 0) return;
      this.#waiting.delete(sending);
      if (sending.put()) this.#waiting.add(sending);
    }
  }
}
