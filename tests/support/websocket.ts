/**
 * WebSocket between two connected ends, and what an end says by hand.
 *
 * @module
 */

import { BufferStore } from "../../src/net/buffers.ts";
import type { Connection } from "../../src/net/connection.ts";
import { type Clock, SystemClock } from "../../src/runtime/clock.ts";
import { HEADER_ROOM, type Opcode, writeFrameHeader } from "../../src/websocket/frame.ts";
import { applyMask, MaskKeys } from "../../src/websocket/mask.ts";
import { WebsocketLayer } from "../../src/transport/websocket.ts";
import { WebsocketConnection } from "../../src/transport/websocket_connection.ts";

/** What two ends have in common that did no handshake. */
export interface PairOptions {
  /** Milliseconds that a Close frame is held; the ends do not know each other. */
  readonly hold: number;
  readonly clock?: Clock;
}

/**
 * A client's and a server's end, after the handshake; or, with `ends`, without one, as if neither
 * was known to be ours.
 */
export async function websocketOver<C extends Connection>(
  [a, b]: readonly [C, C],
  ends?: PairOptions,
): Promise<[Connection, Connection]> {
  const { clock = new SystemClock(), hold = 0 } = ends ?? {};
  const common = { buffers: new BufferStore(), clock, halfClose: false, hold };
  if (ends !== undefined) {
    const rest = new Uint8Array(0);
    const keys = new MaskKeys();
    return [
      new WebsocketConnection({ ...common, below: a, peer: a.peer, rest, keys }),
      new WebsocketConnection({ ...common, below: b, peer: b.peer, rest, keys: null }),
    ];
  }
  const layer = new WebsocketLayer({ tls: false }, common);
  return await Promise.all([layer.initiate(a, a.peer), layer.respond(b)]);
}

/** How a frame made by hand differs from a usual one. */
export interface FrameOptions {
  /** Whether it is masked, as a client's must be. */
  readonly masked?: boolean;
  /** The first byte, where it is not FIN and the opcode. */
  readonly first?: number;
  /** The length that it claims to have, in its shortest form. */
  readonly length?: number;
}

/** A frame, right or wrong. */
export function frameOf(
  opcode: Opcode,
  payload: Uint8Array,
  { masked = true, first, length = payload.length }: FrameOptions = {},
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_ROOM + payload.length);
  const key = masked ? 0x1a2b3c4d : null;
  frame.set(payload, HEADER_ROOM);
  if (key !== null) applyMask(frame, HEADER_ROOM, frame.length, key);
  const start = writeFrameHeader(frame, HEADER_ROOM, opcode, length, key);
  if (first !== undefined) frame[start] = first;
  return frame.slice(start);
}
