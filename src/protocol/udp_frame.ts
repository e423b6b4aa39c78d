/**
 * Datagrams on a data channel, in both directions, as rathole 0.5.0 frames them:
 *
 * ```text
 * u8   length of the header that follows, 12 or 24
 * u32  0 for IPv4, 1 for IPv6
 *      4 or 16 bytes of the visitor's address, network order
 * u16  the visitor's port
 * u16  payload length
 *      payload
 * ```
 *
 * Integers are little-endian, the port as well.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

const HEADER_V4 = 12;
const HEADER_V6 = 24;

/** The longest payload that the length field can announce. UDP over IPv4 carries up to 65,507. */
export const MAX_DATAGRAM = 65_535;
/** The longest frame. */
export const MAX_UDP_FRAME = 1 + HEADER_V6 + MAX_DATAGRAM;

/** Bytes of the frame around a payload from an IPv4 (4 bytes) or IPv6 (16 bytes) address. */
export function udpFrameLength(ip: Uint8Array, payload: Uint8Array): number {
  return 1 + (ip.length === 4 ? HEADER_V4 : HEADER_V6) + payload.length;
}

/** Writes a frame at `offset` of `target`, which must have room; returns where it ends. */
export function writeUdpFrame(
  target: Uint8Array,
  offset: number,
  ip: Uint8Array,
  port: number,
  payload: Uint8Array,
): number {
  const v4 = ip.length === 4;
  target[offset] = v4 ? HEADER_V4 : HEADER_V6;
  target[offset + 1] = v4 ? 0 : 1;
  target[offset + 2] = 0;
  target[offset + 3] = 0;
  target[offset + 4] = 0;
  target.set(ip, offset + 5);
  const end = offset + 5 + ip.length;
  target[end] = port & 0xff;
  target[end + 1] = port >> 8;
  target[end + 2] = payload.length & 0xff;
  target[end + 3] = payload.length >> 8;
  target.set(payload, end + 4);
  return end + 4 + payload.length;
}

/** A datagram as it lies in a stream. The arrays are lent until the decoder gets the next chunk. */
export interface UdpFrame {
  /** The visitor's address, 4 or 16 bytes. */
  readonly ip: Uint8Array;
  /** The visitor's port. */
  readonly port: number;
  /** What was sent. */
  readonly payload: Uint8Array;
}

/**
 * Finds the frames in a stream of chunks. Frames that lie within a chunk are handed on in place;
 * the start of one that does not is kept, at most {@linkcode MAX_UDP_FRAME} bytes.
 */
export class UdpFrameDecoder {
  #rest: Uint8Array = new Uint8Array(0);
  #restLength = 0;
  /** Holds the frame that was lent last, while `#rest` already takes the start of the next. */
  #lent: Uint8Array = new Uint8Array(0);

  /**
   * The frames that end in this chunk, found as they are asked for; all of them must be, before
   * the next chunk.
   *
   * @throws {RatholeError} `protocol` when the bytes are no frame; the stream is of no use then.
   */
  *decode(chunk: Uint8Array): Generator<UdpFrame, void, void> {
    let at = 0;
    if (this.#restLength > 0) {
      at = this.#complete(chunk);
      if (at < 0) return;
      [this.#rest, this.#lent] = [this.#lent, this.#rest];
      this.#restLength = 0;
      yield readFrame(this.#lent, 0);
    }
    for (;;) {
      const length = frameLength(chunk, at);
      if (length === null || at + length > chunk.length) break;
      yield readFrame(chunk, at);
      at += length;
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at));
  }

  /** Adds to the kept start until a frame is whole; returns what it took, or -1 for not yet. */
  #complete(chunk: Uint8Array): number {
    let taken = 0;
    for (;;) {
      const kept = this.#rest.subarray(0, this.#restLength);
      const wanted = frameLength(kept, 0) ?? headerLength(kept);
      const missing = wanted - this.#restLength;
      if (missing <= 0) return taken;
      const part = chunk.subarray(taken, taken + missing);
      if (part.length === 0) return -1;
      this.#keep(part);
      taken += part.length;
    }
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#restLength + bytes.length;
    if (length > this.#rest.length) {
      const grown = new Uint8Array(Math.min(MAX_UDP_FRAME, Math.max(256, 2 * length)));
      grown.set(this.#rest.subarray(0, this.#restLength));
      this.#rest = grown;
    }
    this.#rest.set(bytes, this.#restLength);
    this.#restLength = length;
  }
}

/** Length byte and header together; the shorter kind's as long as that byte is not there. */
function headerLength(bytes: Uint8Array): number {
  return 1 + (bytes[0] ?? HEADER_V4);
}

/** The whole frame's length; null when its header is not there in full. Checks the header. */
function frameLength(bytes: Uint8Array, at: number): number | null {
  const header = bytes[at];
  if (header === undefined) return null;
  if (header !== HEADER_V4 && header !== HEADER_V6) {
    throw new RatholeError("protocol", `a UDP frame cannot have a header of ${header} bytes`);
  }
  const end = at + 1 + header;
  if (end > bytes.length) return null;
  const tag = header === HEADER_V4 ? 0 : 1;
  if (
    bytes[at + 1] !== tag || bytes[at + 2] !== 0 || bytes[at + 3] !== 0 || bytes[at + 4] !== 0
  ) {
    throw new RatholeError("protocol", "a UDP frame's address kind and header length disagree");
  }
  return 1 + header + (bytes[end - 2] ?? 0) + (bytes[end - 1] ?? 0) * 0x100;
}

function readFrame(bytes: Uint8Array, at: number): UdpFrame {
  const end = at + 1 + (bytes[at] ?? 0);
  const length = (bytes[end - 2] ?? 0) + (bytes[end - 1] ?? 0) * 0x100;
  const port = (bytes[end - 4] ?? 0) + (bytes[end - 3] ?? 0) * 0x100;
  const ip = bytes.subarray(at + 5, end - 4);
  return { ip, port, payload: bytes.subarray(end, end + length) };
}
