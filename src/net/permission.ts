/**
 * What the Deno sandbox allows, asked before it is needed.
 *
 * @module
 */

import { type Address, formatAddress } from "../runtime/address.ts";

/** Whether an address may be used; any address, when none is given. Never prompts. */
export function mayUse(address?: Address): boolean {
  const descriptor: Deno.NetPermissionDescriptor = address === undefined
    ? { name: "net" }
    : { name: "net", host: formatAddress(address) };
  return Deno.permissions.querySync(descriptor).state === "granted";
}
