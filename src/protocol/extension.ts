/**
 * What a client of ours tells a server of ours on the control channel, after the Ack.
 *
 * A rathole 0.5.0 server never reads there, and never marks its nonce, so a client writes these
 * frames only to a server whose nonce was marked (`auth.ts`).
 *
 * Every frame is `u8` type, `u16` little-endian payload length (at most 1024), payload. A reader
 * skips types it does not know and payload bytes beyond those it knows: room to grow.
 *
 * | type | payload |
 * |---|---|
 * | 1 hello | `u8` version (1), `u32` features (bits), `u32` milliseconds between its heartbeats, 0 none; where it wants carriers, `u8` how many |
 * | 2 heartbeat | nothing |
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** Bytes before the payload. */
export const EXTENSION_HEADER_LENGTH = 3;
/** The longest payload that is read. */
export const EXTENSION_MAX_PAYLOAD = 1024;

const TYPE_HELLO = 1;
const TYPE_HEARTBEAT = 2;
const HELLO_VERSION = 1;
const HELLO_PAYLOAD_LENGTH = 9;

/** What a client can do beyond rathole 0.5.0, one bit each. */
export type Features = number;
/** It understands streams on carriers, and opens carriers once it hears how many are welcome. */
export const CARRIERS: Features = 1;

/** A frame as it was understood. */
export type ExtensionFrame =
  | {
    /** The first frame: who speaks. */
    readonly type: "hello";
    /** Bits; those that are not known are ignored. */
    readonly features: Features;
    /** Milliseconds between the client's heartbeats; 0: it sends none. */
    readonly heartbeatInterval: number;
    /** How many carriers it wants for the service. */
    readonly carriers: number;
  }
  | {
    /** The client is alive. */
    readonly type: "heartbeat";
  }
  | {
    /** Something newer than this program; to be skipped. */
    readonly type: "unknown";
  };

/** The bytes of a client's hello. */
export function encodeExtensionHello(
  features: Features,
  heartbeatInterval: number,
  carriers = 0,
): Uint8Array {
  const length = HELLO_PAYLOAD_LENGTH + (carriers > 0 ? 1 : 0);
  const bytes = new Uint8Array(EXTENSION_HEADER_LENGTH + length);
  if (carriers > 0) bytes[bytes.length - 1] = carriers;
  const view = new DataView(bytes.buffer);
  view.setUint8(0, TYPE_HELLO);
  view.setUint16(1, length, true);
  view.setUint8(3, HELLO_VERSION);
  view.setUint32(4, features, true);
  view.setUint32(8, Math.min(heartbeatInterval, 0xffff_ffff), true);
  return bytes;
}

/** The bytes of a client's heartbeat. */
export function encodeExtensionHeartbeat(): Uint8Array {
  return Uint8Array.of(TYPE_HEARTBEAT, 0, 0);
}

/**
 * The payload length that a header announces.
 *
 * @throws {RatholeError} `protocol` when it is longer than {@linkcode EXTENSION_MAX_PAYLOAD}: the
 * bytes are no extension frame.
 */
export function extensionPayloadLength(header: Uint8Array): number {
  const length = (header[1] ?? 0) + (header[2] ?? 0) * 0x100;
  if (length > EXTENSION_MAX_PAYLOAD) {
    throw new RatholeError("protocol", `a frame of ${length} bytes on the control channel`);
  }
  return length;
}

/**
 * Reads one frame from its type and payload.
 *
 * @throws {RatholeError} `protocol` when a hello is too short.
 */
export function decodeExtension(type: number, payload: Uint8Array): ExtensionFrame {
  if (type === TYPE_HEARTBEAT) return { type: "heartbeat" };
  if (type !== TYPE_HELLO) return { type: "unknown" };
  if (payload.length < HELLO_PAYLOAD_LENGTH) {
    throw new RatholeError("protocol", `a client hello of ${payload.length} bytes`);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    type: "hello",
    features: view.getUint32(1, true),
    heartbeatInterval: view.getUint32(5, true),
    carriers: payload[HELLO_PAYLOAD_LENGTH] ?? 0,
  };
}
