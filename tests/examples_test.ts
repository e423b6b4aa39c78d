// Every configuration under examples/ loads for the side it is meant for. Its warnings are what is
// to be changed before it is used: the token that everybody can read there, and plain TCP.
// Permissions: --allow-read=examples

import assert from "node:assert/strict";
import { type Config, parseConfig } from "../mod.ts";

const examples = new URL("../examples/", import.meta.url);

async function* configurations(folder: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* configurations(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".toml")) yield new URL(entry.name, folder);
  }
}

async function load(url: URL): Promise<Config> {
  const text = await Deno.readTextFile(url);
  const { config, warnings } = parseConfig(text, { file: url.pathname });
  const told = warnings.filter(({ message }) => !/^is an example that everybody/.test(message));
  const plain = /\/(minimal|udp|iperf3|use_proxy|websocket|unified)\//.test(url.pathname);
  assert.ok(told.length <= (plain ? 2 : 0), url.pathname);
  for (const { key, message } of told) {
    assert.match(`${key} ${message}`, /\.transport\..* leaves the tunnel unencrypted/);
  }
  assert.match(text, /^#:schema (\.\.\/)+docs\/config\.schema\.json$/m);
  return config;
}

Deno.test("every example loads, and the two ends of each fit together", async () => {
  const files = await Array.fromAsync(configurations(examples));
  assert.ok(files.length >= 7, "the examples are there");
  for (const file of files) {
    const config = await load(file);
    const other = new URL(
      file.pathname.endsWith("client.toml") ? "server.toml" : "client.toml",
      file,
    );
    const rest = file.pathname.endsWith("config.toml") ? config : await load(other);
    const server = config.server ?? rest.server;
    const client = config.client ?? rest.client;
    assert.ok(server !== undefined && client !== undefined, file.pathname);
    assert.deepEqual([...client.services.keys()], [...server.services.keys()]);
    for (const [name, service] of client.services) {
      const counterpart = server.services.get(name);
      assert.equal(service.type, counterpart?.type, name);
      assert.equal(service.token.reveal(), counterpart?.token.reveal(), name);
    }
  }
});
