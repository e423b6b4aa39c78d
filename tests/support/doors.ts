/**
 * Doors of programs whose events cannot be watched.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { closeQuietly } from "./local_services.ts";
import { eventually } from "./patience.ts";

/** Tries until a visitor is let in. */
export async function accepting(at: Address): Promise<void> {
  await eventually(`port ${at.port} to be open`, async () => {
    try {
      closeQuietly(await Deno.connect({ ...at }));
      return "open";
    } catch (error) {
      return `${error}`;
    }
  }, (what) => what === "open");
}

/** Resolves when nobody listens any more. */
export async function refusedAt(at: Address): Promise<void> {
  await eventually(
    `port ${at.port} to be closed`,
    async () => {
      try {
        closeQuietly(await Deno.connect({ ...at }));
        return "accepted";
      } catch (error) {
        // The system may have queued a connection just before the listener was closed.
        return error instanceof Deno.errors.ConnectionRefused ? "refused" : `${error}`;
      }
    },
    (what) => what === "refused",
    3000,
  );
}
