/**
 * From the bytes of a WebSocket connection, in whatever pieces they come, to its payload.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import { MOST_CONTROL, OPCODE } from "./frame.ts";
import { applyMask, rotateKey } from "./mask.ts";

/** The largest frame and the largest message that rathole 0.5.0 takes, in bytes of payload. */
const MOST_FRAME = 16 << 20;
const MOST_MESSAGE = 64 << 20;
/** Frames without payload that one chunk may have: Pings, Pongs, empty messages. */
const MOST_IDLE = 4096;
/** Payload of so many bytes is moved up to what is before it; of more, it is lent by itself. */
const JOINED = 16 << 10;

/**
 * What the decoder has next: payload, lent; `more` when it needs the next chunk; `ping`, whose
 * payload is in {@linkcode FrameDecoder.control} until the next step; `close`, after which nothing
 * means anything.
 */
export type Step = Uint8Array | "more" | "ping" | "close";

/**
 * Decodes frames of one direction of a connection (RFC 6455, section 5). Messages are one stream of
 * bytes, their boundaries and empty ones carry no meaning. Payload is never collected: it is lent
 * out of the chunk it came in, unmasked in place, small neighbours moved together.
 */
export class FrameDecoder {
  /** The payload of the last Ping, of up to 125 bytes. */
  control: Uint8Array = new Uint8Array(0);
  /** Whether frames must be masked, as those of a client must; those of a server must not. */
  readonly #masked: boolean;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #header = new Uint8Array(14);
  #filled = 0;
  #needed = 2;
  #opcode = -1;
  #final = true;
  /** Payload bytes of the frame that have not come yet. */
  #left = 0;
  #key = 0;
  /** Payload bytes of the message that is under way; -1 between messages. */
  #message = -1;
  readonly #controlBytes = new Uint8Array(MOST_CONTROL);
  #controlFilled = 0;
  /** Frames without payload in this chunk. */
  #idle = 0;
  #event: "ping" | "close" | undefined;
  #error: RatholeError | undefined;

  /** A decoder of what a client sent (masked), or of what a server did. */
  constructor(sender: "client" | "server") {
    this.#masked = sender === "client";
  }

  /** Whether the stream may end here: no frame or message is under way. */
  get atBoundary(): boolean {
    return this.#message < 0 && this.#left === 0 && this.#filled === 0;
  }

  /** The next chunk, after `more`. It is written to, and lent until the `more` after that. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#idle = 0;
  }

  /**
   * What comes next; of payload, at most `max` bytes.
   *
   * @throws {RatholeError} `protocol` for frames that must not be, then for ever.
   */
  next(max: number): Step {
    const chunk = this.#chunk;
    let from = 0;
    let to = 0;
    while (this.#event === undefined && this.#error === undefined) {
      if (this.#left === 0) {
        if (this.#at === chunk.length || to - from === max) break;
        this.#readHeader();
      } else if (this.#opcode >= OPCODE.close) {
        if (this.#at === chunk.length) break;
        this.#readControl();
      } else {
        const count = Math.min(this.#left, chunk.length - this.#at, max - (to - from));
        if (count === 0 || to > from && count > JOINED) break;
        const at = this.#at;
        if (this.#masked) this.#unmask(at, count);
        this.#at = at + count;
        this.#left -= count;
        if (to === from) from = to = at;
        else if (to !== at) chunk.copyWithin(to, at, at + count);
        to += count;
      }
    }
    if (to > from) return chunk.subarray(from, to);
    const event = this.#event;
    this.#event = undefined;
    if (event !== undefined) return event;
    if (this.#error !== undefined) throw this.#error;
    return "more";
  }

  #unmask(at: number, count: number): void {
    applyMask(this.#chunk, at, at + count, this.#key);
    this.#key = rotateKey(this.#key, count);
  }

  #readHeader(): void {
    const chunk = this.#chunk;
    const header = this.#header;
    while (this.#filled < this.#needed) {
      if (this.#at === chunk.length) return;
      header[this.#filled++] = chunk[this.#at++] ?? 0;
      if (this.#filled === 2) {
        this.#error = this.#judge(header[0] ?? 0, header[1] ?? 0);
        if (this.#error !== undefined) return;
      }
    }
    this.#filled = 0;
    this.#needed = 2;
    this.#beginFrame();
  }

  /** Looks at the first two bytes of a header, and says what is wrong with them. */
  #judge(first: number, second: number): RatholeError | undefined {
    const opcode = first & 15;
    const final = (first & 0x80) !== 0;
    const length = second & 0x7f;
    const masked = (second & 0x80) !== 0;
    if ((first & 0x70) !== 0) return wrong("a frame with reserved bits, which nobody agreed on");
    if (masked !== this.#masked) return wrong(masked ? "a masked frame" : "an unmasked frame");
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong) return wrong(`a frame of the unknown kind ${opcode}`);
      if (!final) return wrong("a control frame in fragments");
      if (length > MOST_CONTROL) return wrong("a control frame of more than 125 bytes");
      if (opcode === OPCODE.close && length === 1) return wrong("a Close frame of one byte");
    } else {
      if (opcode === OPCODE.text) return wrong("text; a rathole sends bytes");
      if (opcode > OPCODE.binary) return wrong(`a frame of the unknown kind ${opcode}`);
      const goesOn = opcode === OPCODE.continuation;
      if (goesOn && this.#message < 0) return wrong("a fragment of no message");
      if (!goesOn && this.#message >= 0) return wrong("a message within another's fragments");
    }
    this.#opcode = opcode;
    this.#final = final;
    this.#needed = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (masked ? 4 : 0);
    return undefined;
  }

  #beginFrame(): void {
    const header = this.#header;
    const view = new DataView(header.buffer);
    const short = (header[1] ?? 0) & 0x7f;
    let length = short;
    let at = 2;
    if (short === 126) {
      length = view.getUint16(at);
      at += 2;
    } else if (short === 127) {
      length = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
      at += 8;
    }
    if (short === 126 && length < 126 || short === 127 && length < 0x1_0000) {
      this.#error = wrong("a frame whose length takes more bytes than it needs");
      return;
    }
    this.#key = this.#masked ? view.getInt32(at, true) : 0;
    if (this.#opcode >= OPCODE.close) {
      this.#controlFilled = 0;
      if (length === 0) this.#endControl();
    } else if (!this.#beginData(length)) return;
    this.#left = length;
  }

  #beginData(length: number): boolean {
    if (length === 0) this.#countIdle();
    const message = Math.max(0, this.#message) + length;
    if (length > MOST_FRAME) this.#error = wrong("a frame of more than 16 MiB");
    else if (message > MOST_MESSAGE) this.#error = wrong("a message of more than 64 MiB");
    // With the last frame's header all is known; its payload may still be to come.
    this.#message = this.#final ? -1 : message;
    return this.#error === undefined;
  }

  #readControl(): void {
    const count = Math.min(this.#left, this.#chunk.length - this.#at);
    if (this.#masked) this.#unmask(this.#at, count);
    const part = this.#chunk.subarray(this.#at, this.#at + count);
    this.#controlBytes.set(part, this.#controlFilled);
    this.#controlFilled += count;
    this.#at += count;
    this.#left -= count;
    if (this.#left === 0) this.#endControl();
  }

  /** A frame that carries nothing costs its sender next to nothing, and this end some work. */
  #countIdle(): void {
    if (++this.#idle > MOST_IDLE) this.#error = wrong("a flood of frames without payload");
  }

  #endControl(): void {
    this.#countIdle();
    if (this.#opcode === OPCODE.pong) return;
    if (this.#opcode === OPCODE.ping) {
      this.control = this.#controlBytes.subarray(0, this.#controlFilled);
    }
    this.#event = this.#opcode === OPCODE.ping ? "ping" : "close";
  }
}

function wrong(what: string): RatholeError {
  return new RatholeError("protocol", `the peer broke the WebSocket protocol: it sent ${what}`);
}
