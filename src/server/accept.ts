/**
 * The accept loop of a server's listeners, its troubles told in the journal.
 *
 * @module
 */

import { acceptAll, type Accepted, type Acceptor } from "../net/accept.ts";
import type { Address } from "../runtime/address.ts";
import { explain } from "../runtime/errors.ts";
import type { ServerContext } from "./context.ts";

/** Where connections come from, and where that is. */
export interface Door<T extends Accepted> extends Acceptor<T> {
  /** The address that is listened on. */
  readonly address: Address;
}

/** Hands over every connection until the signal is aborted; never rejects. */
export function acceptAt<T extends Accepted>(
  door: Door<T>,
  take: (connection: T) => void,
  { admission, clock, journal }: Pick<ServerContext, "admission" | "clock" | "journal">,
  signal: AbortSignal,
): Promise<void> {
  const { address } = door;
  return acceptAll({
    from: door,
    clock,
    take,
    trouble: (error) => journal.record({ type: "accept-failed", address, reason: explain(error) }),
    exhausted: () => admission.exhausted(),
    relief: () => journal.record({ type: "accept-recovered", address }),
  }, signal);
}
