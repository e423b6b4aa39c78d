/**
 * The library in somebody else's program: it prints nothing, keeps nothing running, ends nothing.
 *
 * Permissions: --allow-read --allow-write --allow-run
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { startChild, textFile } from "./support/child.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;

/** Uses a tunnel, lets it fail in several ways, and leaves it; ends by itself if nothing is left. */
const PROGRAM = `
import { startClient, startServer } from "${MOD}";
const local = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const serving = (async () => {
  for await (const connection of local) {
    await connection.readable.pipeTo(connection.writable).catch(() => {});
  }
})();
const server = await startServer({
  bind_addr: "127.0.0.1:0",
  default_token: "x",
  services: { it: { bind_addr: "127.0.0.1:0" }, dns: { type: "udp", bind_addr: "127.0.0.1:0" } },
});
const events = server.events();
const options = {
  remote_addr: "127.0.0.1:" + server.address.port,
  default_token: "x",
  services: {
    it: { local_addr: "127.0.0.1:" + local.addr.port },
    dns: { type: "udp", local_addr: "127.0.0.1:9" },
  },
};
const client = await startClient(options);
let doors = 0;
for await (const event of events) if (event.type === "service-listening" && ++doors === 2) break;
const door = server.status().services[0].address;
const visitor = await Deno.connect({ ...door });
await visitor.write(new TextEncoder().encode("hello"));
const buffer = new Uint8Array(5);
await visitor.read(buffer);
visitor.close();
const lost = await startClient({ ...options, default_token: "wrong", max_retries: 1, retry_interval: "100ms" });
const failure = await lost.closed.catch((error) => error.code);
const stranger = await Deno.connect({ ...server.address });
await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n"));
await stranger.read(new Uint8Array(1)).catch(() => {});
stranger.close();
local.close();
await serving;
const after = await Deno.connect({ ...door });
await after.read(new Uint8Array(1)).catch(() => {});
after.close();
await server[Symbol.asyncDispose]();
await client[Symbol.asyncDispose]();
Deno.writeTextFileSync(Deno.args[0], new TextDecoder().decode(buffer) + " " + failure);
`;

Deno.test("an embedded tunnel prints nothing and lets the program end", {
  timeout: 60_000,
}, async () => {
  await using program = await textFile(PROGRAM, ".ts");
  await using result = await textFile("", ".txt");
  await using child = startChild(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-check",
      "--config=deno.json",
      "--allow-net=127.0.0.1",
      `--allow-write=${result.path}`,
      program.path,
      result.path,
    ],
  });
  equal((await child.ended()).code, 0, child.text);
  equal(child.text, "");
  equal(await Deno.readTextFile(result.path), "hello exhausted");
});
