/**
 * Why a stream was reset, on the wire and to people.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import { RESET } from "./frame.ts";

/** What the other end is told of the reason for which a stream is aborted. */
export function resetCode(reason: unknown): number {
  if (reason === undefined) return RESET.over;
  const code = reason instanceof RatholeError ? reason.code : undefined;
  const unreachable = code === "connect" || code === "resolve" || code === "permission";
  return unreachable ? RESET.unreachable : RESET.cut;
}

/** What that means at the other end. */
export function resetError(code: number | undefined): RatholeError {
  return code === RESET.unreachable
    ? new RatholeError("connect", "the client could not reach the service")
    : new RatholeError("closed", "the other end has closed the stream");
}
