// Every configuration under examples/ loads, without a warning, for the side it is meant for.
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
  assert.deepEqual(warnings, [], url.pathname);
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
