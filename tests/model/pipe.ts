/**
 * One direction of a simulated connection.
 *
 * @module
 */

import { RatholeError } from "../../src/runtime/errors.ts";

/** What bytes that are no longer lent turn into. */
const POISON = 0xdd;
/** The most bytes that one read gives. */
const READ_SIZE = 64 * 1024;
/** Buffers that are kept for pipes to come. */
const MOST_SPARE = 64;

interface Reader {
  readonly max: number;
  readonly resolve: (chunk: Uint8Array | null) => void;
  readonly reject: (error: unknown) => void;
}

interface Writer {
  rest: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Why nothing follows in one direction. */
export type Ending = "closed" | "aborted";

const spare: Uint8Array[] = [];

function takeBuffer(): Uint8Array {
  return spare.pop() ?? new Uint8Array(READ_SIZE);
}

function giveBuffer(buffer: Uint8Array): void {
  if (buffer.length >= READ_SIZE && spare.length < MOST_SPARE) spare.push(buffer);
}

/** What was written, has arrived, and was read; nothing arrives by itself. */
export class Pipe {
  /** Bytes that were written and not read before a write has to wait. */
  capacity: number;
  /** Whether nothing is taken whatever the capacity. */
  blocked = false;
  reader: Reader | undefined;
  writer: Writer | undefined;
  /** Set once nothing follows. */
  ending: Ending | undefined;
  /** Whether that has arrived. */
  over = false;
  /** Why reads fail. */
  error: unknown;
  /** An abort that overtakes what is under way. */
  overtaking = false;
  /** Whether the reading end is gone. */
  gone = false;
  /** Whether the reading end is to learn that the writing end takes nothing any more. */
  notice = false;
  /** Why writes fail. */
  refusal: unknown;
  /** A `closeWrite` that is under way. */
  closing: { resolve(): void; reject(error: unknown): void } | undefined;
  #bytes = takeBuffer();
  readonly #lent = takeBuffer();
  #lentLength = 0;
  #start = 0;
  #arrived = 0;
  #end = 0;

  /** Empty. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Bytes that have arrived, and were not read. */
  get readable(): number {
    return this.#arrived - this.#start;
  }

  /** Bytes under way. */
  get flight(): number {
    return this.#end - this.#arrived;
  }

  /** Whether anything can arrive. */
  get deliverable(): boolean {
    if (this.#end > this.#arrived || this.overtaking || this.notice && this.over) return true;
    return this.ending !== undefined && !this.over && this.writer === undefined;
  }

  /** Whoever still looks at what was lent must see that it is gone. */
  poison(): void {
    if (this.#lentLength > 0) this.#lent.fill(POISON, 0, this.#lentLength);
    this.#lentLength = 0;
  }

  /** So many bytes arrive; the end counts as one. */
  deliver(count: number): void {
    if (this.overtaking) {
      this.overtaking = false;
      this.over = true;
      this.drop();
      this.fail(lost("the peer reset the connection"));
      return;
    }
    const bytes = Math.min(count, this.#end - this.#arrived);
    this.#arrived += bytes;
    const ends = this.ending !== undefined && this.writer === undefined && !this.over;
    if (ends && this.#arrived === this.#end && count > bytes) {
      this.over = true;
      this.closing?.resolve();
      this.closing = undefined;
    }
    this.serve();
  }

  /** Takes of what waits to be written as much as there is room for. */
  accept(): void {
    const { writer } = this;
    if (writer === undefined || this.blocked && !this.gone) return;
    const room = this.gone ? Infinity : this.capacity - (this.#end - this.#start);
    const count = Math.min(writer.rest.length, room);
    if (count <= 0 && writer.rest.length > 0) return;
    if (!this.gone) this.#push(writer.rest, count);
    writer.rest = writer.rest.subarray(count);
    if (writer.rest.length > 0) return;
    this.writer = undefined;
    writer.resolve();
  }

  /** Gives the reader what there is. */
  serve(): void {
    const { reader } = this;
    if (reader === undefined) return;
    if (this.error !== undefined) {
      this.reader = undefined;
      reader.reject(this.error);
      return;
    }
    const count = Math.min(this.#arrived - this.#start, reader.max, READ_SIZE);
    if (count > 0) {
      this.reader = undefined;
      const start = this.#start;
      this.#lent.set(this.#bytes.subarray(start, start + count));
      this.#lentLength = count;
      this.#start += count;
      if (this.#start === this.#end) this.#start = this.#arrived = this.#end = 0;
      reader.resolve(this.#lent.subarray(0, count));
      this.accept();
    } else if (this.over) {
      this.reader = undefined;
      reader.resolve(null);
    }
  }

  /** Reads fail from now on. */
  fail(error: unknown): void {
    this.error ??= error;
    this.serve();
  }

  /** Writes fail from now on. */
  refuse(error: unknown): void {
    this.refusal ??= error;
    const { closing, writer } = this;
    this.writer = this.closing = undefined;
    writer?.reject(error);
    closing?.reject(error);
  }

  /** Nothing that is under way arrives. */
  drop(): void {
    this.#start = this.#arrived = this.#end = 0;
  }

  /** Nobody uses it any more: others may have its memory. */
  free(): void {
    giveBuffer(this.#bytes);
    giveBuffer(this.#lent);
  }

  #push(bytes: Uint8Array, count: number): void {
    if (this.#end + count > this.#bytes.length) this.#makeRoom(count);
    this.#bytes.set(count === bytes.length ? bytes : bytes.subarray(0, count), this.#end);
    this.#end += count;
  }

  #makeRoom(count: number): void {
    const size = this.#end - this.#start;
    let bytes = this.#bytes;
    if (size + count > bytes.length) {
      bytes = new Uint8Array(Math.max(2 * bytes.length, size + count));
    }
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = bytes;
    this.#arrived -= this.#start;
    this.#end = size;
    this.#start = 0;
  }
}

/** What calls are rejected with where the other end, or the network, is gone. */
export function lost(message: string): RatholeError {
  return new RatholeError("closed", message);
}
