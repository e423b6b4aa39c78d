/**
 * Stopping: streams that may finish, limits on that, signals. In this process.
 *
 * Permissions: --allow-net=127.0.0.1
 *
 * @module
 */

import { equal, ok, rejects } from "node:assert/strict";
import { startClient, startServer } from "../mod.ts";
import {
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  readToEnd,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { refusedAt } from "./support/doors.ts";
import { soon } from "./support/patience.ts";
import { tunnelTo } from "./support/tunnel.ts";

for (const end of ["server", "client"] as const) {
  Deno.test(`a draining ${end} lets streams finish and takes nothing new`, async () => {
    await using local = echoService();
    await using tunnel = await tunnelTo(local.address, { client: { retry_interval: "100ms" } });
    const { door } = tunnel;
    using visitor = await visit(door);
    await writeAll(visitor, bytesOf("1"));
    await readBytes(visitor, 1);
    const one = end === "server" ? tunnel.server.server : tunnel.client.client;
    const events = end === "server" ? tunnel.server.events : tunnel.client.events;
    const draining = one.drain();
    equal(one.status().state, "draining");
    // The server knows streams and hears of the client's leaving: its door is closed either way.
    await tunnel.server.events.until("control-channel-lost");
    await refusedAt(door);
    await writeAll(visitor, bytesOf("2"));
    equal(textOf(await readBytes(visitor, 1)), "2");
    await visitor.closeWrite();
    await readToEnd(visitor);
    await soon("the drain to end", draining);
    await one.closed;
    equal(one.status().state, "stopped");
    await events.ended;
    const types: string[] = events.seen.map(({ type }) => type);
    ok(types.indexOf("draining") < types.indexOf("stream-closed"), `${types}`);
    equal(types.at(-1), "stopped");
  });

  Deno.test(`drain_timeout cuts the streams of a ${end}`, async () => {
    await using local = echoService();
    await using tunnel = await tunnelTo(local.address, {
      [end]: { drain_timeout: "200ms" },
    });
    using visitor = await visit(tunnel.door);
    await writeAll(visitor, bytesOf("1"));
    await readBytes(visitor, 1);
    const one = end === "server" ? tunnel.server.server : tunnel.client.client;
    const start = performance.now();
    await soon("the drain to end", one.drain());
    const took = performance.now() - start;
    ok(took > 150 && took < 3000, `${took} ms`);
    await closedByPeer(visitor);
  });

  Deno.test(`a second drain ends a ${end} at once`, async () => {
    await using local = echoService();
    await using tunnel = await tunnelTo(local.address);
    using visitor = await visit(tunnel.door);
    await writeAll(visitor, bytesOf("1"));
    await readBytes(visitor, 1);
    const one = end === "server" ? tunnel.server.server : tunnel.client.client;
    const first = one.drain();
    await soon("the end", one.drain());
    await soon("the end of the first", first);
    await closedByPeer(visitor);
  });
}

const SERVER = {
  bind_addr: "127.0.0.1:0",
  default_token: "x",
  services: { it: { bind_addr: "127.0.0.1:0" } },
};
const CLIENT = {
  remote_addr: "127.0.0.1:1",
  default_token: "x",
  services: { it: { local_addr: "127.0.0.1:1" } },
};

Deno.test("an abort signal ends server and client at once", async () => {
  for (const start of [startServer.bind(null, SERVER), startClient.bind(null, CLIENT)]) {
    const stop = new AbortController();
    await using one = await start({ signal: stop.signal });
    equal(one.status().state, "running");
    stop.abort();
    await soon("the end", one.closed);
    equal(one.status().state, "stopped");
  }
});

Deno.test("a signal that is aborted before the start is over starts nothing", async () => {
  const reason = new Error("not today");
  const aborted = { code: "aborted", cause: reason };
  const signal = AbortSignal.abort(reason);
  await rejects(startServer(SERVER, { signal }), aborted);
  await rejects(startClient(CLIENT, { signal }), aborted);
  for (const start of [startServer.bind(null, SERVER), startClient.bind(null, CLIENT)]) {
    const controller = new AbortController();
    const starting = start({ signal: controller.signal });
    controller.abort(reason);
    await rejects(starting, aborted);
  }
});
