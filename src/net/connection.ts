/**
 * What everything above the network sees of it: a stream of bytes in each direction.
 *
 * @module
 */

import type { Address } from "../runtime/address.ts";

/** A plain number of bytes that grows as they pass; read by whoever asks. */
export interface ByteCounter {
  /** Bytes so far. */
  bytes: number;
}

/**
 * What a write may return that was over at once, and need not be waited for: where bytes are only
 * copied, waiting would cost as much as the copy.
 */
export const WRITTEN: Promise<void> = Promise.resolve();

/**
 * A full-duplex byte stream whose directions end separately. TCP is one; TLS, Noise, WebSocket and
 * a stream on a carrier are others.
 *
 * One read and one write may be under way at a time. Every pending or later call rejects with a
 * `RatholeError` once the connection was aborted (`aborted`, or the reason given) or lost
 * (`closed`).
 */
export interface Connection extends Disposable {
  /** The address at the other end, as this end sees it. */
  readonly peer: Address;

  /**
   * The next bytes, at least one and at most `max`; null when the peer has ended its direction.
   * The array is lent: it holds until the next call of `read`, and the reader may write in it.
   *
   * A caller that needs exactly so many bytes names them as `max` and so leaves what follows to
   * the next reader, which may be the pump.
   */
  read(max?: number): Promise<Uint8Array | null>;

  /**
   * Writes what comes to another connection, where it can do so with less in between than a loop of
   * reads. Resolves when what is left, perhaps nothing but the end, is to be had by reading; rejects
   * as a read or the other's write would.
   */
  pour?(to: Connection, counter: ByteCounter): Promise<void>;

  /** Writes all of the bytes; awaiting it is the backpressure. They may be reused afterwards. */
  write(bytes: Uint8Array): Promise<void>;

  /** Ends this end's direction, after what was written; the other direction goes on. */
  closeWrite(): Promise<void>;

  /** Whether small writes go out at once (`TCP_NODELAY`); a hint, ignored where it has no meaning. */
  setNoDelay(enabled: boolean): void;

  /** Ends both directions at once. Synchronous, idempotent; wakes a pending read and write. */
  abort(reason?: unknown): void;
}
