/**
 * What changed from one configuration to the next, for people.
 *
 * @module
 */

import type { Difference } from "./difference.ts";

/** One line a change: `service web added`, `service ssh: token, local_addr`, `transport`. */
export function describeDifference<C, S>(difference: Difference<C, S>): string[] {
  const { keys, added, removed, changed } = difference;
  return [
    ...keys,
    ...Array.from(removed, (name) => `service ${name} removed`),
    ...Array.from(added.keys(), (name) => `service ${name} added`),
    ...Array.from(changed, ([name, { keys }]) => `service ${name}: ${[...keys].join(", ")}`),
  ];
}
