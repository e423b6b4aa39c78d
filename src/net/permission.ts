/**
 * What the Deno sandbox allows, asked before it is needed.
 *
 * @module
 */

import { type Address, formatAddress, parseIp } from "../runtime/address.ts";
import { sandboxError } from "./system_errors.ts";

/** Whether an address may be used; any address, when none is given. Never prompts. */
export function mayUse(address?: Address): boolean {
  return isGranted(address === undefined ? undefined : formatAddress(address));
}

/** Whether a host name may be looked up, which Deno takes for using all of its ports. */
export function mayResolve(hostname: string): boolean {
  return parseIp(hostname) !== null || isGranted(hostname);
}

function isGranted(host: string | undefined): boolean {
  const descriptor: Deno.NetPermissionDescriptor = host === undefined
    ? { name: "net" }
    : { name: "net", host };
  try {
    return Deno.permissions.querySync(descriptor).state === "granted";
  } catch {
    // A host that no permission can name; asked only where not everything is allowed.
    return false;
  }
}

/** Checks that host names may be looked up. @throws {RatholeError} `permission` */
export function requireResolving(hostnames: readonly string[]): void {
  refuse("looking up", hostnames.filter((hostname) => !mayResolve(hostname)));
}

/**
 * Checks everything that a configuration will need, so that a missing permission shows at the start
 * and not with the first visitor.
 *
 * @throws {RatholeError} `permission`, naming every address at once
 */
export function requireAddresses(action: string, addresses: readonly Address[]): void {
  refuse(action, addresses.filter((address) => !mayUse(address)).map(formatAddress));
}

function refuse(action: string, missing: readonly string[]): void {
  if (missing.length > 0) throw sandboxError(action, [...new Set(missing)].join(","));
}
