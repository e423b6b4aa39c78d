/**
 * Datagrams on their way out of a data channel.
 *
 * @module
 */

import { type UdpFrame, UdpFrameDecoder } from "../protocol/udp_frame.ts";
import type { Connection } from "./connection.ts";

/** Datagrams that are handled at once. A chunk may hold 20,000, each a socket or a system call. */
const AT_ONCE = 64;

/**
 * Hands on every datagram that comes over a channel until the peer ends it. A datagram is lent
 * until its `handle` resolves.
 *
 * `first` is a read that is under way already, if any.
 *
 * @throws {RatholeError} `protocol` when the bytes are no frames; what the channel's `read` throws.
 */
export async function receiveFrames(
  channel: Connection,
  handle: (frame: UdpFrame) => Promise<void> | undefined,
  first?: Promise<Uint8Array | null>,
): Promise<void> {
  const decoder = new UdpFrameDecoder();
  const handling: Promise<void>[] = [];
  let chunk = await (first ?? channel.read());
  while (chunk !== null) {
    for (const frame of decoder.decode(chunk)) {
      const handled = handle(frame);
      if (handled === undefined) continue;
      handling.push(handled);
      if (handling.length === AT_ONCE) await Promise.all(handling.splice(0));
    }
    await Promise.all(handling.splice(0));
    chunk = await channel.read();
  }
}
