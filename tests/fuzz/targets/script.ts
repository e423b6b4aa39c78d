/**
 * What an attacker does, as bytes that can be mutated: operations of one byte, each followed by the
 * operands that it takes.
 *
 * @module
 */

import type { Connection } from "../../../src/net/connection.ts";
import { RatholeError } from "../../../src/runtime/errors.ts";

/** Milliseconds that the attacker waits for an answer, or for its bytes to be taken. */
const PATIENCE = 60;
/** Operations of one script that are looked at. */
const MOST_OPERATIONS = 40;

/** Takes a script apart. */
export class Script {
  readonly #bytes: Uint8Array;
  #at = 0;
  #operations = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next operation, from 0 to `count - 1`; undefined at the end. */
  operation(count: number): number | undefined {
    if (this.#at >= this.#bytes.length || this.#operations++ >= MOST_OPERATIONS) return undefined;
    return this.operand() % count;
  }

  /** The next byte; 0 where there is none. */
  operand(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** As many bytes as the next one says, or fewer. */
  chunk(): Uint8Array {
    const length = this.operand();
    return this.#bytes.slice(this.#at, this.#at += length);
  }
}

/** One end of a connection in the hands of an attacker, who minds no loss. */
export class Puppet {
  readonly #connection: Connection;
  #reading: Promise<Uint8Array | null> | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** How the last operation ended. */
  state: "open" | "closed" | "stuck" = "open";

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Sends, and does not wait for ever. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.state !== "open") return;
    this.#writing = this.#writing.then(() => this.#connection.write(bytes)).catch(this.#onLost);
    if (await within(this.#writing) === LATE) this.state = "stuck";
  }

  /** So many bytes, or those that came in time. */
  async read(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length && this.state !== "closed") {
      this.#reading ??= this.#connection.read(length - filled).catch((error) => {
        this.#onLost(error);
        return null;
      });
      const chunk = await within(this.#reading);
      if (chunk === LATE) break;
      this.#reading = undefined;
      if (chunk === null) {
        this.state = "closed";
        break;
      }
      bytes.set(chunk.subarray(0, length - filled), filled);
      filled += chunk.length;
    }
    return bytes.subarray(0, filled);
  }

  /** Ends its direction. */
  async closeWrite(): Promise<void> {
    if (this.state !== "open") return;
    this.#writing = this.#writing.then(() => this.#connection.closeWrite()).catch(this.#onLost);
    await within(this.#writing);
    this.state = "stuck";
  }

  /** Cuts it. */
  abort(): void {
    this.#connection.abort();
    this.state = "closed";
  }

  readonly #onLost = (error: unknown): void => {
    if (!(error instanceof RatholeError)) throw error;
    this.state = "closed";
  };
}

/** What {@linkcode within} gives for a promise that takes too long. */
export const LATE: unique symbol = Symbol("late");

/** What a promise comes to, if that is in time. */
export async function within<T>(
  promise: Promise<T>,
  ms: number = PATIENCE,
): Promise<T | typeof LATE> {
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(() => resolve(LATE), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
