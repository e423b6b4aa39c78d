/**
 * Two ends of a {@linkcode Connection} without a network: as strict as the contract allows, so
 * that code which leans on more than it promises fails here.
 *
 * @module
 */

import type { Connection } from "../../src/net/connection.ts";
import type { Address } from "../../src/runtime/address.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { turn } from "./turns.ts";

/** What bytes that are no longer lent turn into. */
const POISON = 0xdd;

/** How a pair behaves. */
export interface MemoryOptions {
  /** Bytes in flight in one direction before a write has to wait. */
  readonly capacity?: number;
  /** The most bytes that one read gives. */
  readonly readSize?: number;
  /** The connection is reset once so many bytes were read in both directions together. */
  readonly cutAfter?: number;
  /** Whether every read and write takes at least a turn of the event loop. */
  readonly slow?: boolean;
}

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface PendingRead extends Pending<Uint8Array | null> {
  readonly into: Uint8Array;
}

interface PendingWrite extends Pending<void> {
  rest: Uint8Array;
}

/** One direction: bytes in flight, at most one reader and one writer waiting. */
class Pipe {
  readonly #capacity: number;
  readonly #passed: (count: number) => void;
  #flight: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #reader: PendingRead | undefined;
  #writer: PendingWrite | undefined;
  #ended = false;
  #readerGone = false;

  constructor(capacity: number, passed: (count: number) => void) {
    this.#capacity = capacity;
    this.#passed = passed;
  }

  read(into: Uint8Array): Promise<Uint8Array | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    if (this.#reader !== undefined) throw new Error("two reads at once");
    this.#reader = { into, resolve, reject };
    this.#move();
    return promise;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#writer !== undefined) throw new Error("two writes at once");
    if (this.#ended) throw new Error("a write after closeWrite");
    if (this.#readerGone) return Promise.reject(lost("the peer no longer takes data"));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writer = { rest: bytes, resolve, reject };
    this.#move();
    return promise;
  }

  end(): void {
    this.#ended = true;
    this.#move();
  }

  /** The reading end was aborted: what its peer writes goes nowhere from now on. */
  leaveReader(reason: unknown): void {
    this.#readerGone = true;
    this.#flight = new Uint8Array(0);
    this.#failReader(reason);
    this.#failWriter(lost("the peer no longer takes data"));
  }

  /** The writing end was aborted: what is in flight arrives, and then the end. */
  leaveWriter(reason: unknown): void {
    this.#failWriter(reason);
    this.end();
  }

  /** Nothing in flight arrives any more. */
  reset(error: unknown): void {
    this.#readerGone = true;
    this.#flight = new Uint8Array(0);
    this.#failReader(error);
    this.#failWriter(error);
  }

  #failReader(error: unknown): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
  }

  #failWriter(error: unknown): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.reject(error);
  }

  #move(): void {
    for (let moved = true; moved;) {
      moved = this.#launch();
      if (this.#land()) moved = true;
    }
  }

  #launch(): boolean {
    const writer = this.#writer;
    if (writer === undefined) return false;
    const part = writer.rest.subarray(0, this.#capacity - this.#flight.length);
    const flight = new Uint8Array(this.#flight.length + part.length);
    flight.set(this.#flight);
    flight.set(part, this.#flight.length);
    this.#flight = flight;
    writer.rest = writer.rest.subarray(part.length);
    if (writer.rest.length > 0) return part.length > 0;
    this.#writer = undefined;
    writer.resolve();
    return true;
  }

  #land(): boolean {
    const reader = this.#reader;
    if (reader === undefined) return false;
    const count = Math.min(reader.into.length, this.#flight.length);
    if (count === 0 && !(this.#ended && this.#writer === undefined)) return false;
    this.#reader = undefined;
    if (count === 0) {
      reader.resolve(null);
      return true;
    }
    reader.into.set(this.#flight.subarray(0, count));
    this.#flight = this.#flight.slice(count);
    reader.resolve(reader.into.subarray(0, count));
    this.#passed(count);
    return true;
  }
}

/** One end of a pair. */
export class MemoryConnection implements Connection {
  readonly peer: Address;
  /** What {@linkcode Connection.setNoDelay} was called with last. */
  noDelay: boolean | undefined;
  readonly #input: Pipe;
  readonly #output: Pipe;
  readonly #slow: boolean;
  readonly #buffer: Uint8Array;
  #lent: Uint8Array = new Uint8Array(0);
  #over: { readonly reason: unknown } | undefined;
  #aborted = false;

  constructor(peer: Address, input: Pipe, output: Pipe, options: MemoryOptions) {
    this.peer = peer;
    this.#input = input;
    this.#output = output;
    this.#slow = options.slow ?? false;
    this.#buffer = new Uint8Array(options.readSize ?? 16 * 1024);
  }

  /** Whether this end was aborted. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** Why this end is over, if it is. */
  get reason(): unknown {
    return this.#over?.reason;
  }

  async read(max = Infinity): Promise<Uint8Array | null> {
    // Before anything else: whoever still looks at what was lent must see that it is gone.
    this.#lent.fill(POISON);
    this.#check();
    const pending = this.#input.read(this.#buffer.subarray(0, Math.max(1, max)));
    const chunk = await pending;
    this.#lent = chunk ?? new Uint8Array(0);
    if (this.#slow) await turn();
    this.#check(true);
    return chunk;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (this.#slow) {
      await turn();
      this.#check();
    }
    await this.#output.write(bytes);
  }

  async closeWrite(): Promise<void> {
    this.#check();
    if (this.#slow) {
      await turn();
      this.#check();
    }
    this.#output.end();
  }

  setNoDelay(enabled: boolean): void {
    this.noDelay = enabled;
  }

  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const why = reason ?? new RatholeError("aborted", "the connection was ended by this side");
    this.#over = { reason: why };
    this.#input.leaveReader(why);
    this.#output.leaveWriter(why);
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  /** The connection breaks, at both ends, with what is in flight. */
  reset(): void {
    const error = lost("the peer reset the connection");
    this.#input.reset(error);
    this.#output.reset(error);
    for (const end of [this, this.other]) if (end !== undefined) end.#over ??= { reason: error };
  }

  /** The other end. */
  other: MemoryConnection | undefined;

  #check(onlyAborted = false): void {
    if (this.#over !== undefined && (this.#aborted || !onlyAborted)) throw this.#over.reason;
  }
}

/** Two connected ends. */
export function memoryPair(
  options: MemoryOptions = {},
): [MemoryConnection, MemoryConnection] {
  const { capacity = 64 * 1024, cutAfter = Infinity } = options;
  let left = cutAfter;
  const passed = (count: number) => {
    left -= count;
    if (left <= 0) a.reset();
  };
  const forth = new Pipe(capacity, passed);
  const back = new Pipe(capacity, passed);
  const a = new MemoryConnection({ hostname: "192.0.2.2", port: 2 }, back, forth, options);
  const b = new MemoryConnection({ hostname: "192.0.2.1", port: 1 }, forth, back, options);
  a.other = b;
  b.other = a;
  return [a, b];
}

function lost(message: string): RatholeError {
  return new RatholeError("closed", message);
}
