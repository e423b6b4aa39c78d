/**
 * A server under attack, with a bystander that must not notice.
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { Socket } from "node:net";
import type { Address, ServerServiceOptions } from "../../mod.ts";
import { CARRIERS } from "./both_ways.ts";
import { ask, bytesOf, echoService, textOf } from "./local_services.ts";
import { eventually, soon } from "./patience.ts";
import { clientFor, type PartialServer, serverFor, type WatchedServer } from "./tunnel.ts";

/** See the module. */
export interface Victim extends AsyncDisposable {
  readonly server: WatchedServer;
  /** Where clients connect. */
  readonly at: Address;
  /** Fails unless the bystander is served and the attackers' connections are gone. */
  unharmed(): Promise<void>;
}

/** A server with service `it` for the attacker, and another one that has a client. */
export async function victim(
  options: PartialServer = {},
  it: Partial<ServerServiceOptions> = {},
): Promise<Victim> {
  const stack = new AsyncDisposableStack();
  const local = stack.use(echoService());
  const server = stack.use(
    await serverFor({ it, bystander: {} }, { handshake_timeout: "300ms", ...options }),
  );
  const { carriers = CARRIERS.carriers ?? 1 } = options;
  const bystander = stack.use(
    await clientFor(server, { bystander: local.address }, { carriers: Math.min(1, carriers) }),
  );
  const door = await server.door("bystander");
  // Its control channel, its reserve, and its carrier, which makes do with a smaller reserve.
  const usual = carriers > 0 ? { idle: 2, connections: 4 } : { idle: 8, connections: 9 };
  await eventually("the bystander's reserve", () => ({
    idle: server.service("bystander").dataChannelsIdle,
    connections: server.server.status().connections,
  }), ({ idle, connections }) => idle === usual.idle && connections === usual.connections);
  return {
    server,
    at: server.server.address,
    async unharmed() {
      equal(textOf(await ask(door, bytesOf("unharmed"))), "unharmed");
      await eventually(
        "the attackers' connections to be gone",
        () => server.server.status(),
        ({ connections, pendingHandshakes }) =>
          connections === usual.connections && pendingHandshakes === 0,
      );
      equal(bystander.events.all("control-channel-lost").length, 0);
      equal(server.server.status().state, "running");
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Connects, sends, and resets the connection instead of ending it: Deno's own sockets cannot. */
export async function sendAndReset(at: Address, bytes: Uint8Array): Promise<void> {
  const socket = new Socket();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on("close", () => resolve());
  socket.on("error", () => {});
  socket.connect(at.port, at.hostname, () => {
    if (bytes.length === 0) socket.resetAndDestroy();
    else socket.write(bytes, () => socket.resetAndDestroy());
  });
  await soon("a reset", closed);
}
