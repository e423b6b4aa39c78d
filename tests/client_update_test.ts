/**
 * A running client that goes over to another configuration of its services, in this process.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read
 *
 * @module
 */

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { Address, ClientServiceOptions } from "../mod.ts";
import { formatAddress } from "../src/runtime/address.ts";
import {
  greeting,
  namedService,
  NOBODY,
  openStream,
  RARELY,
  updatable,
  X,
} from "./support/client_updates.ts";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { refusedAt } from "./support/doors.ts";
import {
  ask,
  bytesOf,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, soon } from "./support/patience.ts";
import { serverFor, TOKEN } from "./support/tunnel.ts";

Deno.test("the same configuration again is no update", async () => {
  await using server = await serverFor({ it: {} });
  await using local = echoService();
  await using client = await updatable(server, { it: local.address });
  await client.established("it");
  client.events.forget();
  await client.update(server, { it: local.address });
  deepEqual(client.events.seen, []);
});

Deno.test("services are added and removed, and the streams of removed ones live on", async () => {
  await using local = echoService();
  await using datagrams = await udpEcho();
  await using server = await serverFor({ stays: {}, goes: {}, comes: {}, udp: { type: "udp" } });
  const udp = { type: "udp", local_addr: formatAddress(datagrams.address) } as const;
  await using client = await updatable(server, {
    stays: local.address,
    goes: local.address,
    udp,
  });
  using stays = await openStream(await server.door("stays"));
  const door = await server.door("goes");
  using goes = await openStream(door);
  await using visitor = await udpSocket();
  await askDatagram(visitor, X, await server.door("udp"));
  equal(client.service("udp").visitors, 1);
  await eventually("the reserve", () => server.service("goes").dataChannelsIdle, (n) => n >= 2);
  client.events.forget();

  await client.update(server, { comes: local.address, stays: local.address });
  equal(textOf(await ask(await server.door("comes"), X)), "x");
  await refusedAt(door);
  await eventually(
    "no idle channel",
    () => server.service("goes").dataChannelsIdle,
    (n) => n === 0,
  );
  await stays.works();
  await goes.works();
  deepEqual(client.client.status().services.map(({ name }) => name), ["comes", "stays"]);
  equal(client.client.status().streams, 2);
  deepEqual(client.events.all("configuration-updated").map(({ changes }) => changes), [
    ["service goes removed", "service udp removed", "service comes added"],
  ]);
  // Of the others it hears nothing, and of those that go only that they go.
  deepEqual(
    client.events.seen.filter(({ type }) => type.startsWith("control-channel")).map((event) =>
      "service" in event && event.service
    ),
    ["comes"],
  );
  equal(server.service("udp").client, undefined);
});

Deno.test("a new local address is for new visitors, and costs no control channel", async () => {
  await using before = namedService("before");
  await using after = namedService("after");
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: before.address });
  const door = await server.door();
  using visitor = await visit(door);
  equal(textOf(await readBytes(visitor, 6)), "before");
  client.events.forget();
  await client.update(server, { it: { local_addr: formatAddress(after.address), nodelay: false } });
  equal(await greeting(door), "after");
  equal(client.service().localAddress, formatAddress(after.address));
  await writeAll(visitor, X);
  deepEqual(await readBytes(visitor, 1), X);
  deepEqual(client.events.all("control-channel-established"), []);
  deepEqual(client.events.all("configuration-updated").map(({ changes }) => changes), [
    ["service it: local_addr, nodelay"],
  ]);
});

Deno.test("the visitors of a UDP service move to its new address over the same channels", async () => {
  const named = (name: string) =>
    udpSocket({}, ({ from }, socket) => void socket.send(bytesOf(name), from));
  await using before = await named("before");
  await using after = await named("after");
  await using server = await serverFor({ it: { type: "udp" } });
  const at = ({ address }: { address: Address }) => ({
    it: { type: "udp", local_addr: formatAddress(address) } as const,
  });
  await using client = await updatable(server, at(before));
  const door = await server.door();
  await using visitor = await udpSocket();
  equal(textOf(await askDatagram(visitor, X, door)), "before");
  client.events.forget();
  await client.update(server, at(after));
  await using newcomer = await udpSocket();
  for (const who of [visitor, newcomer]) {
    await eventually(
      "the new address",
      async () => textOf(await askDatagram(who, X, door)),
      (name) => name === "after",
    );
  }
  equal(client.service().visitors, 2);
  deepEqual(client.events.all("control-channel-established"), []);
});

Deno.test("a new token is tried at once, and the old control channel serves until it is let in", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {}, other: {} });
  const services = (token: string) => ({
    it: { local_addr: formatAddress(local.address), token },
    other: local.address,
  });
  await using client = await updatable(server, services(TOKEN), RARELY);
  const door = await server.door("it");
  using stream = await openStream(door);
  using other = await openStream(await server.door("other"));
  const session = server.service("it").client;

  await client.update(server, services("new"), RARELY);
  const { reason } = await client.events.until("control-channel-failed");
  match(reason, /refused the token .*; the control channel from before the update serves on$/);
  equal(client.service("it").state, "established");
  deepEqual(server.service("it").client, session);
  for (let i = 0; i < 20; i++) equal(textOf(await ask(door, X)), "x");

  // Now the server has it too, and ends the old session: the next attempt does not wait an hour.
  await server.server.update({
    bind_addr: server.address,
    default_token: TOKEN,
    services: {
      it: { bind_addr: "127.0.0.1:0", token: "new" },
      other: { bind_addr: "127.0.0.1:0" },
    },
  });
  await client.established("it", 2);
  equal(textOf(await ask(await server.door("it"), X)), "x");
  await stream.works();
  await other.works();
  equal(client.events.all("control-channel-established").length, 3);
});

Deno.test("a token that the server has before the client is a matter of time", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: { token: "new" } });
  const waiting = { ...RARELY, default_token: "old" };
  await using client = await updatable(server, { it: local.address }, waiting);
  await client.events.until("control-channel-failed");
  await client.update(server, { it: local.address }, { ...RARELY, default_token: "new" });
  await client.established("it");
  deepEqual(client.events.all("configuration-updated")[0]?.changes, ["service it: token"]);
});

Deno.test("another type is another service", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  const local_addr = formatAddress(local.address);
  await using client = await updatable(server, { it: { type: "udp", local_addr } });
  await client.established("it");
  await client.update(server, { it: { type: "tcp", local_addr } });
  await client.established("it", 2);
  await server.events.until("control-channel-lost");
  equal(textOf(await ask(await server.door(), X)), "x");
  equal(client.service().type, "tcp");
  // Nobody tries on to offer it as what it was.
  deepEqual(client.events.all("control-channel-lost"), []);
});

Deno.test("a service that has given up is tried again when it is changed", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {}, other: {} });
  const services = (local_addr: string, options: Partial<ClientServiceOptions> = {}) => ({
    it: { token: "wrong", max_retries: 1, retry_interval: "100ms", local_addr, ...options },
    other: local.address,
  });
  await using client = await updatable(server, services(formatAddress(local.address)));
  await client.events.until("gave-up");
  client.events.forget();
  await client.update(server, services(NOBODY));
  await client.events.until("gave-up");
  equal(client.service("it").state, "gave-up");
  await client.update(server, services(formatAddress(local.address), { token: TOKEN }));
  await client.established("it");
});

Deno.test("a client ends when an update leaves only what has given up, not when it leaves nothing", async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} });
  await using client = await updatable(server, { it: local.address });
  await client.established("it");
  await client.update(server, {});
  await eventually(
    "the service to be left",
    () => server.service().client,
    (it) => it === undefined,
  );
  equal(client.client.status().state, "running");
  await client.update(server, { it: local.address });
  await client.established("it", 2);

  const hopeless = { local_addr: NOBODY, token: "wrong", max_retries: 1, retry_interval: "100ms" };
  await client.update(server, { it: local.address, hopeless });
  await client.events.until("gave-up");
  equal(client.client.status().state, "running");
  await client.update(server, { hopeless });
  await rejects(soon("the end", client.client.closed), {
    code: "exhausted",
    message: /^all services have given up \(hopeless: /,
  });
});

Deno.test("1,000 updates, every third invalid, and a service they do not touch notices none", {
  timeout: 120_000,
}, async () => {
  await using local = echoService();
  await using server = await serverFor({ still: {}, busy: {}, more: {} });
  await using client = await updatable(server, { still: local.address });
  using stream = await openStream(await server.door("still"));
  const session = server.service("still").client;
  let [refused, updated] = [0, 0];
  for (let i = 0; i < 1_000; i++) {
    const busy = {
      local_addr: `127.0.0.1:${1000 + i}`,
      token: i % 5 === 0 ? "wrong" : TOKEN,
      max_retries: i,
    };
    const services = { still: local.address, ...(i % 2 ? { busy } : {}), more: busy };
    const transport = { type: "tls", tls: { trusted_root: "no/such/file.pem" } } as const;
    const bad = [{ transport }, { remote_addr: "x" }, { drain_timeout: "soon" }][i % 9 / 3];
    await client.update(server, services, bad ?? { drain_timeout: i + 1 })
      .then(() => updated++, () => refused++);
    if (i % 50 === 0) await stream.works();
  }
  deepEqual([refused, updated], [334, 666]);
  await stream.works();
  const channels = (service: string) =>
    client.events.seen.filter((event) =>
      event.type.startsWith("control-channel") && "service" in event && event.service === service
    );
  equal(channels("still").length, 1);
  deepEqual(server.service("still").client, session);
  equal(client.events.all("configuration-updated").length, 666);
  await client.update(server, { still: local.address, more: local.address });
  equal(textOf(await ask(await server.door("more"), X)), "x");
});
