/**
 * Frames of RFC 6455, section 5, as they are written.
 *
 * ```text
 * byte 0      FIN (0x80) | RSV1-3, always 0 | opcode (4 bits)
 * byte 1      MASK (0x80) | length (7 bits): 0 to 125, or
 *             126: a u16 follows, or 127: a u64 follows, both in network order
 * 4 bytes     masking key, if MASK: frames of a client, and only those
 * payload     XORed with the key's bytes in turn, if MASK
 * ```
 *
 * @module
 */

/** What a frame is: RFC 6455, section 5.2. */
export const OPCODE = {
  /** Goes on with the message that the frame before began. */
  continuation: 0,
  /** A message of text, of which rathole has none. */
  text: 1,
  /** A message of bytes. */
  binary: 2,
  /** The sender says nothing more. */
  close: 8,
  /** To be answered. */
  ping: 9,
  /** The answer. */
  pong: 10,
} as const;

/** One of {@linkcode OPCODE}. */
export type Opcode = typeof OPCODE[keyof typeof OPCODE];

/**
 * Bytes to leave free in front of a payload: the longest header has 14, and at a multiple of 4 the
 * payload is masked word by word.
 */
export const HEADER_ROOM = 16;

/** The most payload of a frame of Close, Ping or Pong (RFC 6455, section 5.5). */
export const MOST_CONTROL = 125;

/**
 * Writes the header of an unfragmented frame so that it ends at `end`, where its payload begins.
 *
 * @param length of the payload, below 2^32
 * @param key the mask as `applyMask` takes it; null for a server's frame
 * @returns where the header begins
 */
export function writeFrameHeader(
  into: Uint8Array,
  end: number,
  opcode: Opcode,
  length: number,
  key: number | null,
): number {
  let at = end;
  if (key !== null) {
    into[--at] = key >>> 24;
    into[--at] = key >>> 16;
    into[--at] = key >>> 8;
    into[--at] = key;
  }
  const mask = key === null ? 0 : 0x80;
  if (length <= 125) {
    into[--at] = mask | length;
  } else {
    into[--at] = length;
    into[--at] = length >>> 8;
    if (length <= 0xffff) {
      into[--at] = mask | 126;
    } else {
      into[--at] = length >>> 16;
      into[--at] = length >>> 24;
      for (let i = 0; i < 4; i++) into[--at] = 0;
      into[--at] = mask | 127;
    }
  }
  into[--at] = 0x80 | opcode;
  return at;
}
