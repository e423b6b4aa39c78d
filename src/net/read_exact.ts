/**
 * Reading messages of a known size.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import type { Connection } from "./connection.ts";

/**
 * Reads exactly `length` bytes and leaves what follows. Usually the array is lent by the
 * connection as that of `read` is; only a message that arrives in pieces is copied together.
 *
 * @throws {RatholeError} `closed` when the peer ends before all of them arrived, saying how many
 * did; whatever the connection's `read` throws.
 */
export async function readExact(connection: Connection, length: number): Promise<Uint8Array> {
  const chunk = await connection.read(length);
  if (chunk?.length === length) return chunk;
  return await complete(connection, chunk, length, length);
}

/**
 * Reads at least one message of `length` bytes, and as many as are there: for streams on which
 * nothing else comes. The array, whose length is a multiple of it, may be lent as that of
 * {@linkcode readExact} is.
 *
 * @throws {RatholeError} as {@linkcode readExact} does
 */
export async function readMessages(connection: Connection, length: number): Promise<Uint8Array> {
  const chunk = await connection.read();
  if (chunk !== null && chunk.length % length === 0) return chunk;
  const whole = Math.max(1, Math.ceil((chunk?.length ?? 0) / length));
  return await complete(connection, chunk, whole * length, length);
}

/** What begins with `chunk` and is `total` bytes long, the last `length` of them a message. */
async function complete(
  connection: Connection,
  chunk: Uint8Array | null,
  total: number,
  length: number,
): Promise<Uint8Array> {
  const whole = new Uint8Array(total);
  let filled = 0;
  while (chunk !== null) {
    whole.set(chunk, filled);
    filled += chunk.length;
    if (filled === total) return whole;
    chunk = await connection.read(total - filled);
  }
  const had = filled - (total - length);
  const got = had === 0 ? "" : ` after ${had} of ${length} bytes of a message`;
  throw new RatholeError("closed", `the peer closed the connection${got}`);
}
