/**
 * Many connections of nobody in particular, and visitors who are timed meanwhile.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { ask, closeQuietly } from "./local_services.ts";
import { pause } from "./patience.ts";

/** Connections that were opened, and when each was closed by the other end. */
export class Strangers implements Disposable {
  readonly #open = new Set<Deno.TcpConn>();
  /** Milliseconds that each of those was open which the other end has closed. */
  readonly lived: number[] = [];

  private constructor() {}

  /** Connects so often, in bursts that a backlog of connections holds. */
  static async connect(at: Address, count: number): Promise<Strangers> {
    const strangers = new Strangers();
    for (let left = count; left > 0; left -= 100) {
      const burst = Array.from({ length: Math.min(100, left) }, () => strangers.#connect(at));
      await Promise.all(burst);
    }
    return strangers;
  }

  /** How many are open still. */
  get open(): number {
    return this.#open.size;
  }

  /** Writes the next byte of these to each, once a second, until all are closed. */
  async drip(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      for (const connection of this.#open) {
        connection.write(Uint8Array.of(byte)).catch(() => {});
      }
      await pause(1000);
      if (this.open === 0) return;
    }
  }

  async #connect(at: Address): Promise<void> {
    const connection = await Deno.connect({ ...at });
    const since = performance.now();
    this.#open.add(connection);
    const closed = () => {
      if (!this.#open.delete(connection)) return;
      this.lived.push(performance.now() - since);
      closeQuietly(connection);
    };
    const buffer = new Uint8Array(64);
    // What the other end says is its own affair; what counts is when it ends.
    const read = (): Promise<void> =>
      connection.read(buffer).then((count) => count === null ? closed() : read(), closed);
    void read();
  }

  [Symbol.dispose](): void {
    for (const connection of this.#open) closeQuietly(connection);
    this.#open.clear();
  }
}

/** Visits one after the other, timed; `end` tells how it went. */
export class Visits implements AsyncDisposable {
  readonly #times: number[] = [];
  readonly #failures: string[] = [];
  /** How many there are to be before it is over. */
  #least = Infinity;
  readonly #visiting: Promise<void>;

  constructor(door: Address) {
    this.#visiting = this.#visit(door);
  }

  async #visit(door: Address): Promise<void> {
    const question = new Uint8Array(100);
    while (this.#times.length + this.#failures.length < this.#least) {
      const start = performance.now();
      try {
        await ask(door, question);
        this.#times.push(performance.now() - start);
      } catch (error) {
        this.#failures.push(`${error}`);
      }
      await pause(20);
    }
  }

  /**
   * Ends when there were so many at least. Milliseconds of the slowest visit but one in a hundred, and
   * why others failed.
   */
  async end(least = 0): Promise<{ count: number; p99: number; failures: readonly string[] }> {
    this.#least = least;
    await this.#visiting;
    const sorted = this.#times.toSorted((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
    return { count: sorted.length, p99, failures: this.#failures };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
