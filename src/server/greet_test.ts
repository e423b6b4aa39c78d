import assert from "node:assert/strict";
import { TestServer } from "../../tests/support/contexts.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import type { ServerOptions } from "../config/options.ts";
import { readExact } from "../net/read_exact.ts";
import { serviceDigest, sessionKey } from "../protocol/auth.ts";
import { decodeAck, decodeHello, encodeHello } from "../protocol/messages.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Incoming } from "../transport/transport.ts";
import { greet } from "./greet.ts";

/** A server that greets what a test brings, with one TCP service "web". */
async function greeting(options: Partial<ServerOptions> = {}) {
  const server = new TestServer({
    heartbeat_interval: 0,
    services: { web: { bind_addr: "127.0.0.1:0" } },
    ...options,
  });
  await server.addServices();
  const bring = (incoming: Incoming) => {
    const ticket = server.context.admission.admitClient(
      incoming.peer,
      (reason) => incoming.abort(reason),
    );
    assert.ok(typeof ticket !== "string");
    return follow(greet(incoming, ticket, server.context.intake, server.context, server.registry));
  };
  const connect = (via?: Address) => {
    const [client, connection] = memoryPair();
    const greeted = bring({
      peer: via ?? connection.peer,
      handshake: () => Promise.resolve(connection),
      abort: (reason) => connection.abort(reason),
    });
    return { client, connection, greeted };
  };
  /** A client that got in, and its session key. */
  const enter = async () => {
    const c = connect();
    const hello = encodeHello({ kind: "control", digest: await serviceDigest("web") });
    await c.client.write(hello);
    const { digest } = decodeHello(await readExact(c.client, 37));
    const key = await sessionKey("token", digest);
    await c.client.write(key);
    assert.equal(decodeAck(await readExact(c.client, 4)), "ok");
    await until(() => server.registry.sessionOf(key) !== undefined, "a session");
    return { ...c, key };
  };
  const dataChannel = async (key: Uint8Array) => {
    const c = connect();
    await c.client.write(encodeHello({ kind: "data", digest: key }));
    await until(() => c.greeted().state !== "pending", "the greeting's end");
    return c;
  };
  return {
    server,
    bring,
    connect,
    enter,
    dataChannel,
    service: () => server.registry.services[0],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Why a greeting failed, as the server's event tells it. */
async function failureOf(
  g: Awaited<ReturnType<typeof greeting>>,
  c: { greeted: () => { state: string }; connection: MemoryConnection },
): Promise<string> {
  await until(() => c.greeted().state === "fulfilled", "the greeting's end");
  await until(() => g.server.events.of("handshake-failed").length === 1, "an event");
  assert.ok(c.connection.aborted);
  assert.equal(g.server.context.admission.connections, 0);
  assert.equal(g.server.clock.pending, 0);
  return g.server.events.of("handshake-failed")[0]?.reason ?? "";
}

Deno.test("silence, and half a hello, end when handshake_timeout is over, all of it together", async () => {
  for (const bytes of [0, 20]) {
    await using g = await greeting({ handshake_timeout: 5 });
    const c = g.connect();
    await c.client.write(new Uint8Array(bytes));
    await g.server.clock.advance(3_000);
    await c.client.write(new Uint8Array(bytes === 0 ? 0 : 10));
    await g.server.clock.advance(1_999);
    assert.equal(c.greeted().state, "pending");
    await g.server.clock.advance(1);
    assert.equal(
      await failureOf(g, c),
      "nothing valid came within handshake_timeout = 5 s",
    );
  }
});

Deno.test("a transport's handshake that hangs is ended by the same deadline", async () => {
  await using g = await greeting();
  const { promise, reject } = Promise.withResolvers<never>();
  const greeted = g.bring({
    peer: { hostname: "192.0.2.9", port: 9 },
    handshake: () => promise,
    abort: reject,
  });
  await g.server.clock.advance(5_000);
  assert.equal(greeted().state, "fulfilled");
  assert.equal(g.server.context.admission.connections, 0);
});

Deno.test("HTTP is named, a client that ends early as well", async () => {
  const cases: [string, RegExp][] = [
    ["GET / HTTP/1.1\r\nHost: localhost:2333\r\n\r\n", /an HTTP request/],
    ["", /the peer closed the connection/],
    ["half", /after 4 of 37 bytes/],
  ];
  for (const [text, reason] of cases) {
    await using g = await greeting();
    const c = g.connect();
    await c.client.write(new TextEncoder().encode(text));
    await c.client.closeWrite();
    assert.match(await failureOf(g, c), reason);
  }
});

Deno.test("a stop of the server ends greetings without blaming the peer", async () => {
  await using g = await greeting();
  const c = g.connect();
  await turn();
  g.server.context.intake.abort(new RatholeError("aborted", "the server is stopping"));
  await until(() => c.greeted().state === "fulfilled", "the greeting's end");
  assert.deepEqual(g.server.events.types, []);
  assert.equal(g.server.context.admission.connections, 0);
});

Deno.test("a client that got in opens the service's door, and its end closes it", async () => {
  await using g = await greeting();
  const c = await g.enter();
  await until(() => g.service()?.address !== undefined, "the door");
  assert.equal(g.server.context.admission.pending, 0);
  assert.equal(g.server.context.admission.connections, 1);
  c.client.abort();
  await until(() => c.greeted().state === "fulfilled", "the session's end");
  assert.equal(g.service()?.address, undefined);
  assert.equal(g.server.registry.sessionOf(c.key), undefined);
  assert.equal(g.server.context.admission.connections, 0);
  assert.deepEqual(g.server.events.types, [
    "control-channel-established",
    "service-listening",
    "control-channel-lost",
    "service-closed",
  ]);
});

Deno.test("a data channel joins its session; its place is free again when it is lost", async () => {
  await using g = await greeting();
  const { key } = await g.enter();
  const channel = await g.dataChannel(key);
  assert.equal(channel.connection.aborted, false);
  assert.equal(g.service()?.session?.pool.idle, 1);
  assert.equal(g.server.context.admission.connections, 2);
  channel.client.abort();
  await until(() => g.server.context.admission.connections === 1, "its place");
  assert.equal(g.service()?.session?.pool.idle, 0);
});

Deno.test("a data channel that nobody asked for, or of no session, is sent away", async () => {
  await using g = await greeting();
  const { key } = await g.enter();
  for (let i = 0; i < 8; i++) await g.dataChannel(key);
  const ninth = await g.dataChannel(key);
  assert.ok(ninth.connection.aborted);
  const stranger = await g.dataChannel(new Uint8Array(32));
  assert.ok(stranger.connection.aborted);
  assert.deepEqual(g.server.events.of("handshake-failed").map(({ reason }) => reason), [
    "more data channels than the server has use for",
    "a data channel of a session that is unknown or over",
  ]);
  assert.equal(g.server.context.admission.connections, 9);
});

Deno.test("a newer client displaces the one before: its end is told, the door stays", async () => {
  await using g = await greeting();
  const first = await g.enter();
  await until(() => g.service()?.address !== undefined, "the door");
  const door = g.service()?.address;
  const idle = await g.dataChannel(first.key);
  const second = await g.enter();
  await until(() => first.greeted().state === "fulfilled", "the first one's end");
  assert.ok(idle.connection.aborted);
  assert.equal(g.service()?.address, door);
  assert.match(
    g.server.events.of("control-channel-lost")[0]?.reason ?? "",
    /^displaced by a newer client at 192\.0\.2\.1:1$/,
  );
  assert.equal(g.server.registry.sessionOf(first.key), undefined);
  assert.ok(g.server.registry.sessionOf(second.key));
});

Deno.test("a data channel that comes as its session ends is told so, not that it was too many", async () => {
  await using g = await greeting();
  const { key } = await g.enter();
  const late = g.connect();
  await late.client.write(encodeHello({ kind: "data", digest: key }));
  g.service()?.session?.end(new RatholeError("closed", "the client is gone"));
  await until(() => late.greeted().state === "fulfilled", "the greeting's end");
  await turn();
  assert.deepEqual(g.server.events.of("handshake-failed").map(({ reason }) => reason), [
    "a data channel of a session that is unknown or over",
  ]);
});

/** Asks for a service and shows a proof, right or wrong; resolves when the greeting is over. */
async function attempt(
  g: Awaited<ReturnType<typeof greeting>>,
  { service = "web", token = "wrong", via }: { service?: string; token?: string; via?: Address },
) {
  const c = g.connect(via);
  const hello = encodeHello({ kind: "control", digest: await serviceDigest(service) });
  await c.client.write(hello);
  const { digest } = decodeHello(await readExact(c.client, 37));
  await c.client.write(await sessionKey(token, digest));
  const ack = decodeAck(await readExact(c.client, 4));
  await until(() => ack === "ok" || c.greeted().state !== "pending", "the greeting's end");
  return { ...c, ack };
}

Deno.test("a wrong token and an unknown service count as failures, a success forgives them", async () => {
  await using g = await greeting({ max_auth_failures_per_ip: 3 });
  const { penalties } = g.server.context.admission;
  const network = sourceNetwork(g.connect().connection.peer.hostname);
  await attempt(g, {});
  await attempt(g, { service: "nobody" });
  assert.equal((await attempt(g, { token: "token" })).ack, "ok");
  await attempt(g, {});
  await attempt(g, { service: "nobody" });
  assert.equal(penalties.refusal(network), null);
  await attempt(g, {});
  assert.match(String(penalties.refusal(network)), /failed to authenticate 3 times/);
});

Deno.test("garbage, an early end and a stale data channel are no failures to authenticate", async () => {
  await using g = await greeting({ max_auth_failures_per_ip: 1 });
  const { penalties } = g.server.context.admission;
  for (const bytes of [new Uint8Array(37).fill(65), new Uint8Array(5)]) {
    const c = g.connect();
    await c.client.write(bytes);
    await c.client.closeWrite();
    await until(() => c.greeted().state === "fulfilled", "the greeting's end");
  }
  await g.dataChannel(new Uint8Array(32));
  assert.equal(penalties.size, 0);
});

Deno.test("a client that a proxy names pays for itself, the proxy's other clients do not", async () => {
  await using g = await greeting({ max_auth_failures_per_ip: 1 });
  const via = { hostname: "198.51.100.1", port: 1 };
  await attempt(g, { via });
  const { penalties } = g.server.context.admission;
  assert.equal(penalties.refusal(via.hostname), null);
  const named = g.connect(via);
  await until(() => named.greeted().state === "fulfilled", "a refusal");
  assert.match(g.server.events.of("handshake-failed").at(-1)?.reason ?? "", /refused for 1 s$/);
  await g.server.clock.advance(1_001);
  assert.equal((await attempt(g, { via, token: "token" })).ack, "ok");
});

Deno.test("data channels of a session are not counted for their address", async () => {
  await using g = await greeting({ max_connections_per_ip: 1 });
  const c = await g.enter();
  for (let i = 0; i < 3; i++) await g.dataChannel(c.key);
  assert.equal(g.server.context.admission.connections, 4);
  const one = g.server.context.admission.admitVisitor(c.connection.peer, () => {});
  assert.match(String(one), /max_connections_per_ip = 1 reached/, "that is the control channel");
});
