/**
 * Connections to the port for clients that are no clients, from an address of their own, so that
 * what they are refused for is not held against the honest.
 *
 * @module
 */

import { connect } from "node:net";
import type { Address } from "../../mod.ts";
import { noise } from "../support/local_services.ts";
import { soon } from "../support/patience.ts";
import { controlHello } from "../support/raw.ts";
import type { Tally } from "./tally.ts";
import { below } from "./visitors.ts";

/** Where they come from. */
const SOURCE = "127.0.0.9";
/** Longer than the server waits for a handshake. */
const LONGEST_MS = 20_000;

/** One of them, of a kind that chance decides; resolves when its connection is gone. */
export async function intruder(at: Address, tally: Tally): Promise<void> {
  tally.add("strangers");
  const hello = await controlHello("steady");
  const kinds: (() => Promise<void>)[] = [
    () => strange(at, new Uint8Array(0), "wait"),
    () => strange(at, noise(1 + below(4096), below(1000) + 1), "wait"),
    () => strange(at, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "end"),
    () => strange(at, hello.subarray(0, 1 + below(hello.length - 1)), "end"),
    () => strange(at, hello.subarray(0, below(hello.length)), "reset"),
    // The beginning of a TLS handshake.
    () => strange(at, Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), "wait"),
    // Over plain TCP a control channel with a wrong key, to others one more piece of garbage.
    () => strange(at, Uint8Array.of(...hello, ...noise(32, below(1000) + 1)), "wait"),
  ];
  const kind = kinds[below(kinds.length)];
  await tally.must("a stranger's connection was not closed", async () => await kind?.());
}

/** Connects, sends, and does something else than a client would; waits for the end. */
async function strange(
  { hostname, port }: Address,
  bytes: Uint8Array,
  then: "wait" | "end" | "reset",
): Promise<void> {
  const socket = connect({ host: hostname, port, localAddress: SOURCE });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on("close", () => resolve());
  // That it is cut is what is expected.
  socket.on("error", () => {});
  socket.on("connect", () => {
    socket.resume();
    socket.write(bytes, () => {
      if (then === "end") socket.end();
      if (then === "reset") socket.resetAndDestroy();
    });
  });
  try {
    await soon("a stranger to be closed", closed, LONGEST_MS);
  } finally {
    socket.destroy();
  }
}
