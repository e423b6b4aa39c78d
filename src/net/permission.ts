/**
 * What the Deno sandbox allows, asked before it is needed.
 *
 * @module
 */

import { type Address, formatAddress } from "../runtime/address.ts";
import { sandboxError } from "./system_errors.ts";

/** Whether an address may be used; any address, when none is given. Never prompts. */
export function mayUse(address?: Address): boolean {
  const descriptor: Deno.NetPermissionDescriptor = address === undefined
    ? { name: "net" }
    : { name: "net", host: formatAddress(address) };
  try {
    return Deno.permissions.querySync(descriptor).state === "granted";
  } catch {
    // A host that no permission can name; asked only where not everything is allowed.
    return false;
  }
}

/**
 * Checks everything that a configuration will need, so that a missing permission shows at the start
 * and not with the first visitor.
 *
 * @throws {RatholeError} `permission`, naming every address at once
 */
export function requireAddresses(action: string, addresses: readonly Address[]): void {
  const missing = addresses.filter((address) => !mayUse(address)).map(formatAddress);
  if (missing.length > 0) throw sandboxError(action, [...new Set(missing)].join(","));
}
