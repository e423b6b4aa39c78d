/**
 * Configuration files that change a thousand times, under load.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { startClient, startServer } from "../../mod.ts";
import type { ClientConfig, ServerConfig } from "../../src/config/types.ts";
import { bothWays } from "../support/both_ways.ts";
import { ChangingFile, type Way } from "../support/changing_file.ts";
import { accepting } from "../support/doors.ts";
import { follow } from "../support/follower.ts";
import {
  ask,
  bytesOf,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { freePort } from "../support/ports.ts";
import { Watch } from "../support/watch.ts";

const ROUNDS = 1000;
/** 150 in the program; a thousand times that would be minutes. */
const SETTLE_MS = 3;
const WAYS: readonly Way[] = ["rename", "in place", "symlink swap", "symlink swap"];
/** Files that cannot be used; no two in a row are the same. */
const BREAK = [
  (text: string, i: number) => text.replaceAll("_addr", `_adr${i}`),
  (text: string, i: number) => text.slice(0, 45 + i % 60),
  (_text: string, i: number) => `# ${i}\n[server`,
];

interface Ports {
  readonly tunnel: number;
  readonly it: number;
  readonly others: readonly [number, number];
  readonly local: number;
}

/** In every version the service `it` is the same, and everything else is not. */
function serverText({ tunnel, it, others }: Ports, i: number): string {
  return bothWays(`[server]
bind_addr = "127.0.0.1:${tunnel}"
default_token = "a token of the tests"
visitor_timeout = ${5 + i % 7}
[server.services.it]
bind_addr = "127.0.0.1:${it}"
[server.services.other]
token = "token ${i % 5} of another service"
bind_addr = "127.0.0.1:${i % 2 === 0 ? others[0] : others[1]}"
${i % 4 < 2 ? '[server.services.third]\nbind_addr = "127.0.0.1:0"\ntype = "udp"\n' : ""}`);
}

function clientText({ tunnel, local }: Ports, i: number): string {
  return bothWays(`[client]
remote_addr = "127.0.0.1:${tunnel}"
default_token = "a token of the tests"
drain_timeout = ${5 + i % 7}
[client.services.it]
local_addr = "127.0.0.1:${local}"
[client.services.other]
token = "token ${i % 5} of another service"
local_addr = "127.0.0.1:${i % 2 === 0 ? local : 9}"
${i % 4 < 2 ? '[client.services.third]\nlocal_addr = "127.0.0.1:9"\ntype = "udp"\n' : ""}`);
}

Deno.test("1,000 reloads at both ends, every third broken: an untouched service loses nothing", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using local = echoService();
  const ports: Ports = {
    tunnel: freePort(),
    it: freePort(),
    others: [freePort(), freePort()],
    local: local.address.port,
  };
  await using serverFile = await ChangingFile.make(serverText(ports, 0));
  await using clientFile = await ChangingFile.make(clientText(ports, 0));
  const watches: Watch<{ readonly type: string; readonly service?: string }>[] = [];
  await using server = await follow<ServerConfig>({
    file: serverFile,
    settle: SETTLE_MS,
    start: async (config, options) => {
      const server = await startServer(config, options);
      watches.push(new Watch(server.events()));
      return server;
    },
    blockOf: (side) => side.mode === "server" ? side.config : undefined,
  });
  await using client = await follow<ClientConfig>({
    file: clientFile,
    settle: SETTLE_MS,
    start: async (config, options) => {
      const client = await startClient(config, options);
      watches.push(new Watch(client.events()));
      return client;
    },
    blockOf: (side) => side.mode === "client" ? side.config : undefined,
  });
  equal(watches.length, 2);
  const door = { hostname: "127.0.0.1", port: ports.it };
  await accepting(door);
  using stream = await visit(door);
  await writeAll(stream, bytesOf("open"));
  equal(textOf(await readBytes(stream, 4)), "open");
  for (const watch of watches) watch.forget();

  let over = false;
  let requests = 0;
  const visiting = (async () => {
    while (!over) {
      const question = `request ${requests}`;
      equal(textOf(await ask(door, bytesOf(question))), question);
      await writeAll(stream, bytesOf(question));
      equal(textOf(await readBytes(stream, question.length)), question);
      requests++;
    }
  })();
  visiting.catch(() => {}); // awaited below
  let refused = 0;
  try {
    for (let i = 1; i <= ROUNDS; i++) {
      const broken = i % 3 === 0 ? BREAK[i / 3 % BREAK.length] : undefined;
      if (broken !== undefined) refused++;
      const way = WAYS[i % WAYS.length] ?? "rename";
      const written = (text: string) => broken === undefined ? text : broken(text, i);
      await Promise.all([
        serverFile.change(written(serverText(ports, i)), way),
        clientFile.change(written(clientText(ports, i)), way),
      ]);
      await Promise.all([server.until(i), client.until(i)]);
    }
  } finally {
    over = true;
    await visiting;
  }
  for (const { outcomes } of [server, client]) {
    deepEqual(outcomes, { applied: ROUNDS - refused, refused, unchanged: 0 });
  }
  for (const watch of watches) {
    // Neither end's control channel was lost, found anew or refused: it is the same.
    const told = watch.seen.filter(({ type, service }) =>
      type === "fault" || (service === "it" && !type.startsWith("stream-"))
    );
    deepEqual(told, []);
  }
  ok(requests > ROUNDS / 10, `${requests} requests`);
});
