/**
 * A visitor who downloads without an end: `download.ts PORT`. Says every so often how much has come:
 * a line of the milliseconds of the clock and the bytes since it began. A process of its own, as
 * other visitors are.
 *
 * @module
 */

import { BULK_BYTES, BULK_PATH } from "./web.ts";

/** Requests that are under way, so that the web server always has something to send. */
const AHEAD = 4;
/** Milliseconds between two lines. */
const INTERVAL = 50;
/** Bytes of a read. */
const READ = 1 << 19;

const REQUEST = new TextEncoder().encode(`GET ${BULK_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);

const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
let bytes = 0;
setInterval(() => console.log(`${Date.now()} ${bytes}`), INTERVAL);
const buffer = new Uint8Array(READ);
for (let asked = 0;;) {
  // Heads are among the bytes: a reply is a little longer than what was asked for, never shorter.
  for (; asked < AHEAD + Math.floor(bytes / BULK_BYTES); asked++) await connection.write(REQUEST);
  const count = await connection.read(buffer);
  if (count === null) throw new Error(`the download has ended after ${bytes} bytes`);
  bytes += count;
}
