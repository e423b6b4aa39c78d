import assert from "node:assert/strict";
import { type Connect, TestClient } from "../../tests/support/contexts.ts";
import { type MemoryConnection, memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import { decodeHello, encodeDataCommand } from "../protocol/messages.ts";
import { RatholeError } from "../runtime/errors.ts";
import { openDataChannel } from "./data_channel.ts";

const KEY = new Uint8Array(32).fill(3);
const FORWARD = encodeDataCommand("forward-tcp");

/** Opens a channel of a client whose dials are answered by `connect`. */
function opening(connect: Connect) {
  const client = new TestClient({}, connect);
  const session = client.context.intake.child();
  const channels = client.context.intake.child();
  const forwarded: Connection[] = [];
  const { promise: forwarding, resolve: finish } = Promise.withResolvers<void>();
  const opened = follow(openDataChannel(
    {
      service: "web",
      key: KEY,
      nodelay: true,
      what: "a data channel",
      at: undefined,
      route: client.context.route,
      forwarder: {
        command: "forward-tcp",
        owner: client.context.streams,
        forward: (channel) => {
          forwarded.push(channel);
          return forwarding;
        },
      },
      context: client.context,
      stream: () => undefined,
    },
    session,
    channels,
  ));
  return {
    client,
    session,
    channels,
    forwarded,
    finish,
    opened,
    async [Symbol.asyncDispose]() {
      finish();
      await client[Symbol.asyncDispose]();
    },
  };
}

/** A dial that succeeds; the server's end comes out of `ends`. */
function answering(ends: MemoryConnection[]): Connect {
  return () => {
    const [server, connection] = memoryPair();
    ends.push(server);
    return Promise.resolve(connection);
  };
}

const failures = (o: ReturnType<typeof opening>) =>
  o.client.events.of("data-channel-failed").map(({ reason }) => reason);

Deno.test("it shows its key, waits, and hands over to the forwarder, which outlives the session", async () => {
  const ends: MemoryConnection[] = [];
  await using o = opening(answering(ends));
  await until(() => ends.length === 1, "a dial");
  const [server] = ends;
  assert.ok(server);
  assert.deepEqual(decodeHello(await readExact(server, 37)), { kind: "data", digest: KEY });
  await turn();
  assert.equal(o.opened().state, "pending");
  await server.write(FORWARD);
  await server.write(Uint8Array.of(1, 2, 3));
  await until(() => o.opened().state === "fulfilled", "the handing over");
  assert.equal(o.forwarded.length, 1);
  o.session.abort(new Error("the control channel is lost"));
  const [channel] = o.forwarded;
  assert.ok(channel);
  assert.deepEqual(await channel.read(), Uint8Array.of(1, 2, 3));
  assert.equal(o.client.context.streams.size, 1);
  o.finish();
  await until(() => o.client.context.streams.size === 0, "the stream's end");
  await assert.rejects(channel.read(), { code: "aborted" });
  assert.deepEqual(o.client.events.types, []);
});

Deno.test("a dial that fails is tried again for 10 s, then told once", async () => {
  await using o = opening(() => Promise.reject(new RatholeError("connect", "refused")));
  await o.client.clock.advance(11_000);
  assert.equal(o.opened().state, "fulfilled");
  assert.deepEqual(failures(o), ["refused"]);
  assert.ok(o.client.attempts >= 5 && o.client.attempts <= 12, `${o.client.attempts} attempts`);
});

Deno.test("a dial that succeeds later is as good", async () => {
  const ends: MemoryConnection[] = [];
  const answer = answering(ends);
  await using o = opening((options, attempt) =>
    attempt < 3 ? Promise.reject(new RatholeError("connect", "refused")) : answer(options, attempt)
  );
  await o.client.clock.advance(9_000);
  assert.equal(ends.length, 1);
  assert.deepEqual(failures(o), []);
});

Deno.test("what cannot help is not tried again", async () => {
  await using o = opening(() => Promise.reject(new RatholeError("permission", "denied")));
  await until(() => o.opened().state === "fulfilled", "the end");
  assert.equal(o.client.attempts, 1);
  assert.deepEqual(failures(o), ["denied"]);
});

Deno.test("a dial that hangs ends after 10 s", async () => {
  await using o = opening(({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
  );
  await o.client.clock.advance(10_000);
  await until(() => o.opened().state === "fulfilled", "the end");
  assert.deepEqual(failures(o), ["opening a data channel took more than 10 s"]);
});

Deno.test("the session's end is no failure, whatever the channel was doing", async () => {
  const reason = new RatholeError("closed", "the control channel is lost");
  const hang: Connect = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const refuse: Connect = () => Promise.reject(new RatholeError("connect", "refused"));
  for (const connect of [hang, refuse, answering([])]) {
    await using o = opening(connect);
    await turn();
    o.session.abort(reason);
    o.channels.abort(reason);
    await until(() => o.opened().state === "fulfilled", "the end");
    await turn();
    assert.deepEqual(o.client.events.types, []);
    assert.deepEqual(o.forwarded, []);
  }
});

Deno.test("a visitor that the server gave a channel as the session ended is served", async () => {
  const ends: MemoryConnection[] = [];
  await using o = opening(answering(ends));
  await until(() => ends.length === 1, "a dial");
  o.session.abort(new RatholeError("aborted", "replaced"));
  await turn();
  await ends[0]?.write(FORWARD);
  await until(() => o.forwarded.length === 1, "the handing over");
});

Deno.test("a connection that comes as the session ends is closed", async () => {
  const [server, connection] = memoryPair();
  await using o = opening(() => {
    // The dial has succeeded; before anybody hears of it, the session is over.
    queueMicrotask(() => o.channels.abort(new RatholeError("closed", "over")));
    return Promise.resolve(connection);
  });
  await until(() => o.opened().state === "fulfilled", "the end");
  assert.ok(connection.aborted);
  assert.deepEqual(o.forwarded, []);
  server.abort();
});

Deno.test("a server that retires an idle channel is no failure", async () => {
  const ends: MemoryConnection[] = [];
  await using o = opening(answering(ends));
  await until(() => ends.length === 1, "a dial");
  ends[0]?.abort();
  await until(() => o.opened().state === "fulfilled", "the end");
  assert.deepEqual(o.client.events.types, []);
});

Deno.test("a service of another type at the server is told, and what to do", async () => {
  const ends: MemoryConnection[] = [];
  await using o = opening(answering(ends));
  await until(() => ends.length === 1, "a dial");
  await ends[0]?.write(encodeDataCommand("forward-udp"));
  await until(() => o.opened().state === "fulfilled", "the end");
  assert.deepEqual(failures(o).length, 1);
  assert.match(failures(o)[0] ?? "", /service "web" has type = "udp" at the server/);
  assert.deepEqual(o.forwarded, []);
});

Deno.test("a stop of the client cuts a channel that carries a visitor", async () => {
  const ends: MemoryConnection[] = [];
  await using o = opening(answering(ends));
  await until(() => ends.length === 1, "a dial");
  await ends[0]?.write(FORWARD);
  await until(() => o.forwarded.length === 1, "the handing over");
  const reason = new RatholeError("aborted", "the client was stopped");
  o.client.context.streams.abort(reason);
  const [channel] = o.forwarded;
  assert.ok(channel);
  await assert.rejects(channel.read(), reason);
});
