/**
 * The frames that streams on a carrier are made of (`docs/carriers.md`). Pure: bytes in, bytes out.
 *
 * Every frame is 8 bytes of header, little-endian, and its payload:
 *
 * | bytes | what |
 * |---|---|
 * | 0–3 | `u32` the stream; 0 for frames of the carrier itself |
 * | 4 | `u8` the type |
 * | 5–7 | `u24` bytes of payload |
 *
 * | type | payload | meaning |
 * |---|---|---|
 * | 1 open | `u8` 0 TCP, 1 UDP | the server begins a stream |
 * | 2 data | 1 to 16,384 bytes | bytes of the stream |
 * | 3 window | `u32` bytes | the other end may send so many more |
 * | 4 fin | nothing | this direction has ended |
 * | 5 reset | `u8` why | both directions are over at once |
 * | 6 move | nothing | this direction goes on, raw, on a data channel of its own |
 * | 7 ping | nothing | asks for a pong; of the carrier |
 * | 8 pong | nothing | answers |
 *
 * A reader skips types it does not know, and payload beyond what it knows: room to grow.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** Bytes before the payload. */
export const FRAME_HEADER_LENGTH = 8;
/** The most bytes that one frame carries of a stream: what others wait for it at most. */
export const MOST_DATA = 16_384;
/** The longest payload of any other frame that is read. */
export const MOST_CONTROL = 1024;

/** Types of frames, as they are on the wire. */
export const FRAME = {
  open: 1,
  data: 2,
  window: 3,
  fin: 4,
  reset: 5,
  move: 6,
  ping: 7,
  pong: 8,
} as const;

/** Why a stream was reset, as it is on the wire; what is not known means `cut`. */
export const RESET = {
  /** It was closed, as a socket is: what was sent before is all there is. */
  over: 0,
  /** The service could not be reached. */
  unreachable: 1,
  /** Something went wrong: what was sent before may not be all. */
  cut: 2,
} as const;

/** Takes what a {@linkcode FrameDecoder} finds. */
export interface FrameSink {
  /** Bytes of a stream, lent; a frame that came in pieces is given in pieces. */
  data(stream: number, bytes: Uint8Array): void;
  /** Any other frame, its payload lent. */
  control(type: number, stream: number, payload: Uint8Array): void;
}

/** Writes a header at an offset. */
export function writeHeader(
  into: Uint8Array,
  at: number,
  type: number,
  stream: number,
  length: number,
): void {
  into[at] = stream;
  into[at + 1] = stream >>> 8;
  into[at + 2] = stream >>> 16;
  into[at + 3] = stream >>> 24;
  into[at + 4] = type;
  into[at + 5] = length;
  into[at + 6] = length >>> 8;
  into[at + 7] = length >>> 16;
}

/** A `u32`, as payload of a window. */
export function encodeCredit(credit: number): Uint8Array {
  return Uint8Array.of(credit, credit >>> 8, credit >>> 16, credit >>> 24);
}

/** Reads a window's payload. @throws {RatholeError} `protocol` when it is too short */
export function decodeCredit(payload: Uint8Array): number {
  if (payload.length < 4) throw new RatholeError("protocol", "a window without its credit");
  return u32(payload, 0);
}

/** Finds frames in bytes however they are cut. */
export class FrameDecoder {
  /** A header, or header and payload of a control frame, of which a part has come. */
  readonly #partial = new Uint8Array(FRAME_HEADER_LENGTH + MOST_CONTROL);
  #held = 0;
  /** The stream of a data frame of which some is still to come. */
  #stream = 0;
  #missing = 0;

  /**
   * Hands on what is whole by now.
   *
   * @throws {RatholeError} `protocol` when the bytes are no frames; whatever the sink throws.
   */
  decode(chunk: Uint8Array, sink: FrameSink): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const end = Math.min(chunk.length, at + this.#missing);
        this.#missing -= end - at;
        sink.data(this.#stream, chunk.subarray(at, end));
        at = end;
      } else if (this.#held > 0 || chunk.length - at < FRAME_HEADER_LENGTH) {
        at = this.#complete(chunk, at, sink);
      } else {
        at = this.#take(chunk, at, sink);
      }
    }
  }

  /** Takes a frame whose header is there; returns where the next begins. */
  #take(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const type = chunk[at + 4] ?? 0;
    const length = lengthOf(chunk, at, type);
    const body = at + FRAME_HEADER_LENGTH;
    if (type === FRAME.data) {
      this.#stream = u32(chunk, at);
      this.#missing = length;
      return body;
    }
    if (body + length > chunk.length) {
      this.#partial.set(chunk.subarray(at));
      this.#held = chunk.length - at;
      return chunk.length;
    }
    sink.control(type, u32(chunk, at), chunk.subarray(body, body + length));
    return body + length;
  }

  /** Adds to what is held until it is a frame; returns where the rest begins. */
  #complete(chunk: Uint8Array, start: number, sink: FrameSink): number {
    const partial = this.#partial;
    let at = start;
    while (at < chunk.length) {
      const needed = this.#needed();
      const taken = chunk.subarray(at, at + needed - this.#held);
      partial.set(taken, this.#held);
      this.#held += taken.length;
      at += taken.length;
      if (this.#held < FRAME_HEADER_LENGTH || this.#held < this.#needed()) continue;
      const { length } = partial.subarray(0, this.#held);
      this.#held = 0;
      this.#take(partial.subarray(0, length), 0, sink);
      break;
    }
    return at;
  }

  /** How many bytes are to be held. @throws {RatholeError} */
  #needed(): number {
    if (this.#held < FRAME_HEADER_LENGTH) return FRAME_HEADER_LENGTH;
    const type = this.#partial[4] ?? 0;
    const length = lengthOf(this.#partial, 0, type);
    return type === FRAME.data ? FRAME_HEADER_LENGTH : FRAME_HEADER_LENGTH + length;
  }
}

/** The length that a header announces. @throws {RatholeError} `protocol` */
function lengthOf(bytes: Uint8Array, at: number, type: number): number {
  const length = (bytes[at + 5] ?? 0) | (bytes[at + 6] ?? 0) << 8 | (bytes[at + 7] ?? 0) << 16;
  const most = type === FRAME.data ? MOST_DATA : MOST_CONTROL;
  if (length > most || type === FRAME.data && length === 0) {
    throw new RatholeError("protocol", `a frame of type ${type} with ${length} bytes on a carrier`);
  }
  return length;
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 |
    (bytes[at + 3] ?? 0) << 24) >>> 0;
}
