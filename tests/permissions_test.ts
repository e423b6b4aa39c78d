/**
 * The program with the permissions that production would give it, each by name, and what it says
 * where one is missing.
 *
 * Permissions: --allow-net=127.0.0.1,localhost --allow-read --allow-write --allow-run
 *
 * @module
 */

import { deepEqual, doesNotMatch, equal } from "node:assert/strict";
import { type Child, startProgram } from "./support/child.ts";
import { askDatagram, udpEcho, type UdpSocket, udpSocket } from "./support/datagrams.ts";
import { ask, bytesOf, echoService, textOf } from "./support/local_services.ts";
import { accepting } from "./support/doors.ts";
import { freePort } from "./support/ports.ts";

const OPTIONS = { timeout: 60_000 };
const ESTABLISHED = /INFO rathole::client: Control channel established/;
const LISTENING = /INFO rathole::server: Listening/;

interface Ports {
  readonly tunnel: number;
  readonly door: number;
}

function ports(): Ports {
  return { tunnel: freePort(), door: freePort() };
}

function serverConfig({ tunnel, door }: Ports, type = "tcp"): string {
  return `[server]\nbind_addr = "127.0.0.1:${tunnel}"\ndefault_token = "t"\n` +
    `[server.services.it]\ntype = "${type}"\nbind_addr = "127.0.0.1:${door}"\n`;
}

function clientConfig({ tunnel }: Ports, local: number, type = "tcp", host = "127.0.0.1"): string {
  return `[client]\nremote_addr = "${host}:${tunnel}"\ndefault_token = "t"\n` +
    `[client.services.it]\ntype = "${type}"\nlocal_addr = "${host}:${local}"\n`;
}

function allow(host: string, ...ports: readonly number[]): string[] {
  return [`--allow-net=${ports.map((port) => `${host}:${port}`).join(",")}`];
}

async function startServer(at: Ports, type = "tcp", packaged = false): Promise<Child> {
  const server = await startProgram({
    config: serverConfig(at, type),
    allow: allow("127.0.0.1", at.tunnel, at.door),
    packaged,
  });
  await server.until(LISTENING);
  return server;
}

for (const packaged of [false, true]) {
  const how = packaged ? "as a package" : "in its folder";

  Deno.test(`TCP with each address by name, ${how}`, OPTIONS, async () => {
    await using local = echoService();
    const { port } = local.address;
    for (const host of ["127.0.0.1", "localhost"]) {
      const at = ports();
      await using _server = await startServer(at, "tcp", packaged);
      await using client = await startProgram({
        config: clientConfig(at, port, "tcp", host),
        allow: allow(host, at.tunnel, port),
        packaged,
      });
      await client.until(ESTABLISHED);
      const door = { hostname: "127.0.0.1", port: at.door };
      await accepting(door);
      equal(textOf(await ask(door, bytesOf(host))), host);
      doesNotMatch(client.text, /WARN|ERROR/);
    }
  });

  Deno.test(`UDP with each address by name, visitors by their network, ${how}`, {
    ...OPTIONS,
  }, async () => {
    await using local = await udpEcho();
    const { port } = local.address;
    const at = ports();
    await using server = await startProgram({
      config: serverConfig(at, "udp"),
      // Deno asks for every address that is sent to, so for every visitor's.
      allow: [`--allow-net=127.0.0.0/8`],
      packaged,
    });
    await server.until(LISTENING);
    await using client = await startProgram({
      config: clientConfig(at, port, "udp"),
      // Port 0 is where its socket for each visitor is bound.
      allow: allow("127.0.0.1", at.tunnel, port, 0),
      packaged,
    });
    await client.until(ESTABLISHED);
    await using visitor = await udpSocket();
    const door = { hostname: "127.0.0.1", port: at.door };
    equal(textOf(await askDatagram(visitor, bytesOf("udp"), door)), "udp");
    doesNotMatch(server.text + client.text, /WARN|ERROR/);
  });

  Deno.test(`a UDP server that may not send to its visitors says so, ${how}`, {
    ...OPTIONS,
  }, async () => {
    await using local = await udpEcho();
    const at = ports();
    await using server = await startServer(at, "udp", packaged);
    await using client = await startProgram({
      config: clientConfig(at, local.address.port, "udp"),
      allow: allow("127.0.0.1", at.tunnel, local.address.port, 0),
      packaged,
    });
    await client.until(ESTABLISHED);
    await using visitor = await udpSocket();
    const sending = keepSending(visitor, at.door);
    try {
      const { port } = visitor.address;
      await server.until(
        new RegExp(`WARN rathole::server: .*replying to 127.0.0.1:${port}; a UDP service needs`),
      );
    } finally {
      clearInterval(sending);
    }
    equal(server.text.match(/replying to/g)?.length, 1);
  });
}

/** Sends datagrams until the interval is cleared: the first ones may come too soon. */
function keepSending(visitor: UdpSocket, port: number): ReturnType<typeof setInterval> {
  return setInterval(() => {
    void visitor.send(bytesOf("x"), { hostname: "127.0.0.1", port }).catch(() => {});
  }, 50);
}

/** Runs the program and resolves with its exit code and the flag that it asks for, if it does. */
async function refusal(options: Parameters<typeof startProgram>[0]) {
  await using program = await startProgram(options);
  const { code } = await program.ended();
  doesNotMatch(program.text, /INFO/);
  return { code, flag: /add (--allow-net=\S+)\n$/.exec(program.text)?.[1] };
}

Deno.test("a server that may not listen somewhere ends with 1 and names all flags", {
  ...OPTIONS,
}, async () => {
  const at = ports();
  const [tunnel, door] = [`127.0.0.1:${at.tunnel}`, `127.0.0.1:${at.door}`];
  for (
    const { allowed, missing } of [
      { allowed: [], missing: `${tunnel},${door}` },
      { allowed: allow("127.0.0.1", at.door), missing: tunnel },
      { allowed: allow("127.0.0.1", at.tunnel), missing: door },
    ]
  ) {
    deepEqual(await refusal({ config: serverConfig(at), allow: allowed }), {
      code: 1,
      flag: `--allow-net=${missing}`,
    });
  }
});

Deno.test("a client that may not connect somewhere ends with 1 and names all flags", {
  ...OPTIONS,
}, async () => {
  const at = ports();
  const [tunnel, local] = [`127.0.0.1:${at.tunnel}`, "127.0.0.1:9"];
  for (
    const { type, allowed, missing } of [
      { type: "tcp", allowed: [], missing: `${tunnel},${local}` },
      { type: "tcp", allowed: allow("127.0.0.1", at.tunnel), missing: local },
      { type: "udp", allowed: allow("127.0.0.1", at.tunnel, 9), missing: "127.0.0.1:0" },
    ]
  ) {
    deepEqual(await refusal({ config: clientConfig(at, 9, type), allow: allowed }), {
      code: 1,
      flag: `--allow-net=${missing}`,
    });
  }
});

Deno.test("a client that may not look up a name ends with 1 and names the flag", {
  ...OPTIONS,
}, async () => {
  const at = ports();
  const udp = clientConfig(at, 9, "udp", "localhost");
  const v6 = clientConfig(at, 9, "tcp", "localhost")
    .replace("[client]", "[client]\nprefer_ipv6 = true");
  for (const config of [udp, v6]) {
    deepEqual(await refusal({ config, allow: allow("localhost", at.tunnel, 9) }), {
      code: 1,
      flag: "--allow-net=localhost",
    });
  }
});
