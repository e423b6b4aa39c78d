/**
 * Copies between two connections until both directions have ended.
 *
 * @module
 */

import { othersTurn } from "../runtime/turn.ts";
import { type ByteCounter, type Connection, WRITTEN } from "./connection.ts";

/** Bytes after which others get a turn where there are others: half a millisecond of a fast stream. */
const SHARED_TURN = 512 * 1024;
/** The same where nobody else has moved bytes of the service meanwhile. */
const LONE_TURN = 4 * 1024 * 1024;

/** What a pump counts. */
export interface PumpCounters {
  /** Bytes copied from `a` to `b`. */
  readonly forward: ByteCounter;
  /** Bytes copied from `b` to `a`. */
  readonly backward: ByteCounter;
}

/**
 * Copies both ways, each at the pace of its slower end: a chunk is read only when the one before
 * was written, so no more than two buffers are held whatever the readers do. The end of one
 * direction is passed on as a half-close while the other goes on; an error in either ends both.
 *
 * `firstOfB` is a read of `b` that somebody has started already (to notice that an idle channel
 * was closed); it counts as the first of this direction.
 *
 * Both connections are closed when it resolves, which it does with the error that cut the streams,
 * or with null when both ended by themselves. It never rejects.
 */
export async function pump(
  a: Connection,
  b: Connection,
  counters: PumpCounters,
  firstOfB?: Promise<Uint8Array | null>,
): Promise<unknown> {
  const backward = copy(b, a, counters.backward, firstOfB);
  const cut = await copy(a, b, counters.forward);
  const cutBack = await backward;
  a.abort();
  b.abort();
  return cut ?? cutBack;
}

/** Copies one way; an error ends both ways, and is what it resolves with in place of null. */
async function copy(
  from: Connection,
  to: Connection,
  counter: ByteCounter,
  first?: Promise<Uint8Array | null>,
): Promise<unknown> {
  try {
    if (first === undefined && from.pour !== undefined) await from.pour(to, counter);
    let [own, since, turn] = [counter.bytes, counter.bytes, SHARED_TURN];
    let chunk = await (first ?? from.read());
    while (chunk !== null) {
      const writing = to.write(chunk);
      if (writing !== WRITTEN) await writing;
      counter.bytes += chunk.length;
      own += chunk.length;
      if (own - since >= turn) {
        await othersTurn();
        turn = own === counter.bytes ? LONE_TURN : SHARED_TURN;
        own = since = counter.bytes;
      }
      chunk = await from.read();
    }
    await to.closeWrite();
    return null;
  } catch (error) {
    from.abort(error);
    to.abort(error);
    return error;
  }
}
