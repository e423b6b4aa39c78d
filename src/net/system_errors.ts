/**
 * What the operating system or the Deno sandbox refused, said so that a person can act on it.
 *
 * @module
 */

import { type Address, formatAddress } from "../runtime/address.ts";
import { explain, isDescriptorExhaustion, RatholeError } from "../runtime/errors.ts";

/** The error for a connection to `to` that could not be opened: `connect`, `resolve`, `permission`. */
export function connectError(to: Address, cause: unknown): RatholeError {
  const where = formatAddress(to);
  if (cause instanceof RatholeError) return cause;
  if (cause instanceof Deno.errors.NotCapable) return sandboxError("connecting to", where, cause);
  if (isResolveFailure(cause)) return resolveError(to.hostname, cause);
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new RatholeError("connect", `${where} refused the connection`, { cause });
  }
  if (isDescriptorExhaustion(cause)) {
    const message = `cannot connect to ${where}: no file descriptors left (raise "ulimit -n")`;
    return new RatholeError("connect", message, { cause });
  }
  return new RatholeError("connect", `cannot connect to ${where}: ${plain(cause)}`, { cause });
}

/** The error for an address that cannot be listened on: `bind`, `resolve` or `permission`. */
export function bindError(at: Address, cause: unknown): RatholeError {
  const where = formatAddress(at);
  if (cause instanceof RatholeError) return cause;
  if (cause instanceof Deno.errors.NotCapable) return sandboxError("listening on", where, cause);
  if (isResolveFailure(cause)) return resolveError(at.hostname, cause);
  const because = cause instanceof Deno.errors.AddrInUse || hasCode(cause, "EADDRINUSE")
    ? "the address is in use by another program or service"
    : cause instanceof Deno.errors.AddrNotAvailable || hasCode(cause, "EADDRNOTAVAIL")
    ? "this machine does not have that address"
    : cause instanceof Deno.errors.PermissionDenied || hasCode(cause, "EACCES")
    ? "the system does not allow it (ports below 1024 need root or CAP_NET_BIND_SERVICE)"
    : plain(cause);
  return new RatholeError("bind", `cannot listen on ${where}: ${because}`, { cause });
}

/** The error for what Deno's permissions do not allow, with the flag that would. */
export function sandboxError(action: string, where: string, cause?: unknown): RatholeError {
  return new RatholeError(
    "permission",
    `the Deno sandbox does not allow ${action} ${where}; add --allow-net=${where}`,
    { cause },
  );
}

/** The error for a host name without an address. */
export function resolveError(hostname: string, cause: unknown): RatholeError {
  const message = `cannot find an address for the host name "${hostname}"`;
  return new RatholeError("resolve", message, { cause });
}

/** The error for a connection that broke while in use. */
export function lostError(cause: unknown): RatholeError {
  if (cause instanceof RatholeError) return cause;
  const message = cause instanceof Deno.errors.ConnectionReset
    ? "the peer reset the connection"
    : cause instanceof Deno.errors.BrokenPipe
    ? "the peer no longer takes data"
    : cause instanceof Deno.errors.TimedOut
    ? "the peer's machine stopped answering"
    : `the connection was lost: ${plain(cause)}`;
  return new RatholeError("closed", message, { cause });
}

function isResolveFailure(cause: unknown): boolean {
  return hasCode(cause, "ENOTFOUND") || hasCode(cause, "EAI_AGAIN") ||
    /failed to lookup address|No such host|no addresses|could not resolve/i.test(explain(cause));
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && Reflect.get(cause, "code") === code;
}

/** The system's words without the number that follows them. */
function plain(cause: unknown): string {
  return explain(cause).replace(/ \(os error \d+\)/g, "");
}
