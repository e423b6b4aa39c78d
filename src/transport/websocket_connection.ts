/**
 * A WebSocket connection whose handshake is over. How its directions end is told in ADR 6.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Connection } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { FrameDecoder } from "../websocket/frame_decoder.ts";
import type { MaskKeys } from "../websocket/mask.ts";
import { FrameWriter } from "./websocket_writer.ts";

/** Milliseconds between the last bytes and the Close frame, for a peer that has closed already. */
const TAIL = 100;

/** What a connection is made of. */
export interface WebsocketOptions {
  /** What carries it, with the handshake behind it. Owned from now on. */
  readonly below: Connection;
  /** Bytes that came with the handshake and belong to the frames; lent by `below`. */
  readonly rest: Uint8Array;
  /** The address at the other end. */
  readonly peer: Address;
  /** Keys to mask with: at a client; null at a server. */
  readonly keys: MaskKeys | null;
  /** Whether both ends take a Close frame as the end of its sender's direction only. */
  readonly halfClose: boolean;
  /** Where both do not: milliseconds of silence after which a Close frame that is held goes out. */
  readonly hold: number;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** Times what is held. */
  readonly clock: Clock;
}

/**
 * A {@linkcode Connection} of binary messages, one a write, whose payloads are one stream of bytes.
 * Payload is unmasked in place and lent out of what the connection below lent.
 *
 * Reading throws `protocol` for what must not come, and `closed` for an end within a frame or
 * message. An end without a Close frame is an end: rathole 0.5.0 and an `abort` leave none.
 */
export class WebsocketConnection implements Connection {
  readonly peer: Address;
  readonly #below: Connection;
  readonly #decoder: FrameDecoder;
  readonly #writer: FrameWriter;
  readonly #halfClose: boolean;
  readonly #hold: number;
  readonly #clock: Clock;
  #max = Infinity;
  #reading = false;
  /** Whether anything came since the Close frame was last looked at. */
  #heard = false;
  #ended = false;
  #wake: (() => void) | undefined;
  #held: Deadline | undefined;
  /** The held Close frame waits for a reader before it waits for silence again. */
  #stalled = false;
  #over: { readonly reason: unknown } | undefined;

  /** Takes over the connection below. */
  constructor(options: WebsocketOptions) {
    const { below, buffers, keys } = options;
    this.peer = options.peer;
    this.#below = below;
    this.#decoder = new FrameDecoder(keys === null ? "client" : "server");
    this.#decoder.push(options.rest);
    this.#writer = new FrameWriter(below, buffers, keys);
    this.#halfClose = options.halfClose;
    this.#hold = options.hold;
    this.#clock = options.clock;
  }

  /** See {@linkcode Connection.read}. */
  read(max: number = Infinity): Promise<Uint8Array | null> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    let got;
    try {
      got = this.#next(max);
    } catch (error) {
      return Promise.reject(error);
    }
    if (got !== undefined) return Promise.resolve(got);
    this.#max = max;
    this.#reading = true;
    if (this.#stalled) this.#holdOn();
    return this.#below.read().then(this.#onChunk, this.#onReadError);
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    return bytes.length === 0 ? Promise.resolve() : this.#writer.write(bytes);
  }

  /** See {@linkcode Connection.closeWrite}; the end may be held back, see ADR 6. */
  closeWrite(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over.reason);
    if (this.#halfClose) return this.#writer.close();
    if (this.#ended) return this.#closeAfterAWhile();
    this.#held ??= this.#clock.after(this.#hold, this.#onHeld);
    return Promise.resolve();
  }

  /** See {@linkcode Connection.setNoDelay}. */
  setNoDelay(enabled: boolean): void {
    this.#below.setNoDelay(enabled);
  }

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    if (this.#over !== undefined) return;
    const why = reason ?? new RatholeError("aborted", "the connection was ended by this side");
    this.#over = { reason: why };
    this.#held?.cancel();
    this.#wake?.();
    this.#below.abort(why);
  }

  /** Same as {@linkcode WebsocketConnection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  /** What can be had of the bytes that have come; undefined when more must come. */
  #next(max: number): Uint8Array | null | undefined {
    if (this.#ended) return null;
    for (;;) {
      const step = this.#decoder.next(max);
      if (typeof step !== "string") return step;
      if (step === "more") return undefined;
      if (step === "close") return this.#end();
      this.#writer.pong(this.#decoder.control);
    }
  }

  #take(chunk: Uint8Array | null): Uint8Array | null | undefined {
    if (this.#over !== undefined) throw this.#over.reason;
    if (chunk === null) {
      if (this.#decoder.atBoundary) return this.#end();
      throw new RatholeError("closed", "the peer closed the connection within a WebSocket message");
    }
    this.#heard = true;
    this.#decoder.push(chunk);
    return this.#next(this.#max);
  }

  /** The other end says nothing more: nothing is left to hold a Close frame for. */
  #end(): null {
    this.#ended = true;
    if (this.#held !== undefined) this.#release();
    return null;
  }

  /** 0.5.0 drops what it has read and not passed on yet when it meets a Close frame or the end. */
  async #closeAfterAWhile(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#held = this.#clock.after(TAIL, resolve);
    await promise;
    if (this.#over !== undefined) throw this.#over.reason;
    await this.#writer.close();
  }

  #holdOn(): void {
    this.#stalled = this.#heard = false;
    this.#held = this.#clock.after(this.#hold, this.#onHeld);
  }

  #release(): void {
    this.#held?.cancel();
    this.#held = undefined;
    // Nobody waits for it, and where it cannot be written there is nobody to read it either.
    this.#writer.close().catch(() => undefined);
  }

  /** A chunk without payload is rare: only then a read is a loop, which lets others have a turn. */
  async #readOn(): Promise<Uint8Array | null> {
    for (;;) {
      const got = this.#take(await this.#below.read());
      if (got !== undefined) return got;
      // A read that finds bytes waiting does not come from the event loop, and could go on so.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#over !== undefined) throw this.#over.reason;
    }
  }

  // Made once a connection, not once a chunk.
  readonly #onChunk = (
    chunk: Uint8Array | null,
  ): Uint8Array | null | Promise<Uint8Array | null> => {
    this.#reading = false;
    const got = this.#take(chunk);
    if (got !== undefined) return got;
    this.#reading = true;
    return this.#readOn().finally(this.#onReadOn);
  };

  readonly #onReadOn = (): void => {
    this.#reading = false;
  };

  readonly #onReadError = (error: unknown): never => {
    this.#reading = false;
    throw error;
  };

  readonly #onHeld = (): void => {
    // While nobody reads, silence says nothing about the other end: the next read holds on.
    if (!this.#reading) this.#stalled = true;
    else if (this.#heard) this.#holdOn();
    else this.#release();
  };
}
