/**
 * The program with the permissions that production would give it, each by name, and what it says
 * where one is missing.
 *
 * Permissions: --allow-net=127.0.0.1,localhost --allow-read --allow-write --allow-run
 *
 * @module
 */

import { doesNotMatch, equal, match } from "node:assert/strict";
import { type Child, startProgram } from "./support/child.ts";
import { askDatagram, udpEcho, type UdpSocket, udpSocket } from "./support/datagrams.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  textOf,
  visit,
} from "./support/local_services.ts";
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

Deno.test("a server that may not listen ends with 1 and names the flag", OPTIONS, async () => {
  const at = ports();
  for (const allowed of [[], allow("127.0.0.1", at.door)]) {
    await using server = await startProgram({ config: serverConfig(at), allow: allowed });
    equal((await server.ended()).code, 1);
    match(
      server.text,
      new RegExp(`^rathole: .*listening on 127.0.0.1:${at.tunnel}; add --allow-net=.*\n$`),
    );
  }
});

Deno.test("a server that may not open a service's door says so and serves the others", {
  ...OPTIONS,
}, async () => {
  const at = ports();
  await using local = echoService();
  const { port } = local.address;
  const other = freePort();
  await using server = await startProgram({
    config: `${serverConfig(at)}[server.services.other]\nbind_addr = "127.0.0.1:${other}"\n`,
    allow: allow("127.0.0.1", at.tunnel, other),
  });
  await server.until(LISTENING);
  await using client = await startProgram({
    config: `${clientConfig(at, port)}[client.services.other]\nlocal_addr = "127.0.0.1:${port}"\n`,
    allow: allow("127.0.0.1", at.tunnel, port),
  });
  await client.until(ESTABLISHED);
  await server.until(
    new RegExp(`ERROR rathole::server: .*service=it .*add --allow-net=127.0.0.1:${at.door}`),
  );
  const door = { hostname: "127.0.0.1", port: other };
  await accepting(door);
  equal(textOf(await ask(door, bytesOf("x"))), "x");
});

Deno.test("a client that may not connect ends with 1 and names the flag", OPTIONS, async () => {
  const at = ports();
  await using client = await startProgram({ config: clientConfig(at, 9) });
  equal((await client.ended()).code, 1);
  match(client.text, new RegExp(`connecting to 127.0.0.1:${at.tunnel}; add --allow-net=127`));
  equal(client.text.match(/Gave up/g)?.length, 1);
});

Deno.test(
  "a client that may not reach its service says so for every visitor",
  OPTIONS,
  async () => {
    const at = ports();
    await using local = echoService();
    const { port } = local.address;
    await using _server = await startServer(at);
    await using client = await startProgram({
      config: clientConfig(at, port),
      allow: allow("127.0.0.1", at.tunnel),
    });
    await client.until(ESTABLISHED);
    const door = { hostname: "127.0.0.1", port: at.door };
    await accepting(door);
    using visitor = await visit(door);
    await closedByPeer(visitor);
    await client.until(
      new RegExp(`WARN rathole::client: .*connecting to 127.0.0.1:${port}; add --allow-net=`),
    );
    equal(local.accepted, 0);
  },
);

Deno.test("a client that may not open a UDP socket says so", OPTIONS, async () => {
  const at = ports();
  await using local = await udpSocket();
  await using _server = await startServer(at, "udp");
  await using client = await startProgram({
    config: clientConfig(at, local.address.port, "udp"),
    allow: allow("127.0.0.1", at.tunnel, local.address.port),
  });
  await client.until(ESTABLISHED);
  await using visitor = await udpSocket();
  const sending = keepSending(visitor, at.door);
  try {
    await client.until(/WARN rathole::client: .*listening on 127.0.0.1:0; add --allow-net=/);
  } finally {
    clearInterval(sending);
  }
});
