/**
 * Over WebSocket: ours and rathole 0.5.0 at either end. `deno task interop` prints the whole table.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { testRows } from "../support/interop.ts";
import { TRANSPORTS } from "../support/interop_transports.ts";

testRows(TRANSPORTS.filter(({ type }) => type === "websocket"));
