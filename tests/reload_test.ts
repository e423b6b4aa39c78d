/**
 * The program and a configuration file that changes: every way of changing it, at both ends, with
 * the permissions that people give; and files that cannot be used.
 *
 * @module
 */

import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { ChangingFile, WAYS } from "./support/changing_file.ts";
import { type Child, startChild } from "./support/child.ts";
import { accepting } from "./support/doors.ts";
import {
  ask,
  bytesOf,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { freePort } from "./support/ports.ts";

const OPTIONS = { timeout: 60_000 };
const SIGNALS = { ...OPTIONS, ignore: Deno.build.os === "windows" };
const REFUSED = /ERROR rathole::config: Configuration refused, the one from before stays in use/;

function start(path: string, readable: string, log = "info"): Child {
  const permissions = ["--allow-net", `--allow-read=${readable}`, "--allow-env=RUST_LOG"];
  return startChild(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, "mod.ts", path],
    env: { RUST_LOG: log },
  });
}

/** Doors by service. */
type Doors = Readonly<Record<string, number>>;

function serverText(tunnel: number, doors: Doors): string {
  const services = Object.entries(doors).map(([name, port]) =>
    `[server.services.${name}]\nbind_addr = "127.0.0.1:${port}"\n`
  );
  return `[server]\nbind_addr = "127.0.0.1:${tunnel}"\ndefault_token = "a token of the tests"\n` +
    `[server.services]\n${services.join("")}`;
}

function clientText(tunnel: number, locals: Doors): string {
  const services = Object.entries(locals).map(([name, port]) =>
    `[client.services.${name}]\nlocal_addr = "127.0.0.1:${port}"\n`
  );
  return `[client]\nremote_addr = "127.0.0.1:${tunnel}"\ndefault_token = "a token of the tests"\n` +
    `[client.services]\n${services.join("")}`;
}

Deno.test("every way of changing the files adds a service at both ends; an open stream stays", {
  ...OPTIONS,
}, async () => {
  await using local = echoService();
  const { port } = local.address;
  const tunnel = freePort();
  let doors: Doors = { first: freePort() };
  let locals: Doors = { first: port };
  await using serverFile = await ChangingFile.make(serverText(tunnel, doors));
  await using clientFile = await ChangingFile.make(clientText(tunnel, locals));
  await using server = start(serverFile.path, serverFile.directory);
  await server.until(/Listening/);
  await using client = start(clientFile.path, clientFile.directory);
  await client.until(/Control channel established/);
  const first = { hostname: "127.0.0.1", port: doors["first"] ?? 0 };
  await accepting(first);
  using stream = await visit(first);
  for (const [i, way] of WAYS.entries()) {
    const name = `s${i}`;
    doors = { ...doors, [name]: freePort() };
    locals = { ...locals, [name]: port };
    await serverFile.change(serverText(tunnel, doors), way);
    await server.until(new RegExp(`Configuration updated changes="service ${name} added"`));
    await clientFile.change(clientText(tunnel, locals), way);
    await client.until(new RegExp(`Configuration updated changes="service ${name} added"`));
    const door = { hostname: "127.0.0.1", port: doors[name] ?? 0 };
    await accepting(door);
    equal(textOf(await ask(door, bytesOf(way))), way);
    await writeAll(stream, bytesOf(name));
    equal(textOf(await readBytes(stream, name.length)), name);
  }
  equal(client.text.match(/established service=first/g)?.length, 1);
  doesNotMatch(server.text + client.text, /WARN|ERROR/);
});

Deno.test("a sandbox that shows the file alone: changes are found, each once", {
  ...OPTIONS,
}, async () => {
  const tunnel = freePort();
  await using file = await ChangingFile.make(serverText(tunnel, {}));
  await using server = start(file.path, file.path, "debug");
  await server.until(/Listening/);
  const late = freePort();
  await file.change(serverText(tunnel, { late }), "rename"); // may be seen by the first look
  await server.until(/Configuration updated changes="service late added"/);
  await file.change(serverText(tunnel, { late, later: freePort() }), "in place");
  await server.until(/Configuration updated changes="service later added"/);
  equal(server.text.match(/Configuration updated/g)?.length, 2);
  doesNotMatch(server.text, /WARN|ERROR|NotCapable/);
});

Deno.test("SIGHUP has the file read at once, and is answered where nothing changed", {
  ...SIGNALS,
}, async () => {
  const tunnel = freePort();
  await using file = await ChangingFile.make(serverText(tunnel, {}));
  await using server = start(file.path, file.path);
  await server.until(/Listening/);
  server.kill("SIGHUP");
  await server.until(/INFO rathole::config: Configuration read again, nothing has changed/);
  await file.change(serverText(tunnel, { late: freePort() }), "rename");
  server.kill("SIGHUP");
  await server.until(/service late added/);
  server.kill("SIGTERM");
  equal((await server.ended()).code, 0);
});

Deno.test("a file that cannot be used: the report of the start, and what runs goes on", {
  ...OPTIONS,
}, async () => {
  await using local = echoService();
  const tunnel = freePort();
  const doors = { it: freePort() };
  const good = serverText(tunnel, doors);
  await using serverFile = await ChangingFile.make(good);
  await using clientFile = await ChangingFile.make(clientText(tunnel, { it: local.address.port }));
  await using server = start(serverFile.path, serverFile.directory);
  await server.until(/Listening/);
  await using client = start(clientFile.path, clientFile.directory);
  await client.until(/Control channel established/);
  const door = { hostname: "127.0.0.1", port: doors.it };
  await accepting(door);

  const broken = good.replaceAll("bind_addr", "bind_adr").replace("default_token", "defualt_token");
  for (const bad of [broken, good.slice(0, -3), "", clientText(tunnel, {}) + good]) {
    await using again = await ChangingFile.make(bad);
    await using refused = start(again.path, again.directory);
    equal((await refused.ended()).code, 1);
    const report = refused.text.split("\n").filter((line) => line.startsWith(again.path))
      .map((line) => line.slice(again.path.length));

    const from = server.text.length;
    await serverFile.change(bad, "in place");
    await server.until(REFUSED, from);
    const told = server.text.slice(from);
    for (const line of report) {
      ok(told.includes(`ERROR rathole::config: ${serverFile.path}${line}\n`));
    }
    equal(textOf(await ask(door, bytesOf("still there"))), "still there");
    await serverFile.change(good, "rename");
    await server.until(/Configuration can be used again, nothing has changed/, from);
  }
  match(server.text, /reason="the configuration has \d errors"/);
  doesNotMatch(client.text, /WARN|ERROR/);
});

Deno.test("an address that is taken is refused, and taken over as soon as it is free", {
  ...OPTIONS,
}, async () => {
  const tunnel = freePort();
  await using file = await ChangingFile.make(serverText(tunnel, {}));
  await using server = start(file.path, file.directory);
  await server.until(/Listening/);
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  try {
    await file.change(serverText(port, {}), "rename");
    await server.until(new RegExp(`${REFUSED.source} .*127\\.0\\.0\\.1:${port}.* retry_in=`));
    using _still = await visit({ hostname: "127.0.0.1", port: tunnel });
  } finally {
    other.close();
  }
  await server.until(/Configuration updated changes=bind_addr/);
  await accepting({ hostname: "127.0.0.1", port });
  equal(server.text.match(new RegExp(REFUSED, "g"))?.length, 1);
});
