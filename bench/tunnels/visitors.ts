/**
 * Visitors who each send one request, get the reply, and stay: `visitors.ts PORT COUNT`. A process
 * of its own, so that it can have the descriptors.
 *
 * @module
 */

import { visit } from "./visit.ts";

/** How many come at a time. */
const AT_ONCE = 32;

const [port, count] = Deno.args.map(Number);
const connections: Deno.TcpConn[] = [];
let left = count ?? 0;
const come = async () => {
  while (left-- > 0) connections.push(await visit(port ?? 0));
};
await Promise.all(Array.from({ length: AT_ONCE }, come));
console.log("all served");
// Until it is killed; a connection that is not looked at would be closed by the collector.
setInterval(() => connections.length, 3_600_000);
