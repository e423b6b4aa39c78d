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
  let chunk = await connection.read(length);
  if (chunk?.length === length) return chunk;
  const whole = new Uint8Array(length);
  let filled = 0;
  while (chunk !== null) {
    whole.set(chunk, filled);
    filled += chunk.length;
    if (filled === length) return whole;
    chunk = await connection.read(length - filled);
  }
  const got = filled === 0 ? "" : ` after ${filled} of ${length} bytes of a message`;
  throw new RatholeError("closed", `the peer closed the connection${got}`);
}
