import assert from "node:assert/strict";
import { ANYWHERE, socketOptions, tcpPair } from "../../tests/support/tcp_pair.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { BufferStore } from "./buffers.ts";
import { dialTcp, TcpListener } from "./tcp.ts";

const forever = new AbortController().signal;

Deno.test("a connection knows its peer, and a listener the port it was given", async () => {
  using listener = new TcpListener(ANYWHERE, socketOptions());
  assert.ok(listener.address.port > 0);
  using dialled = await dialTcp(listener.address, socketOptions(), forever);
  using accepted = await listener.accept();
  assert.deepEqual(dialled.peer, listener.address);
  assert.equal(accepted.peer.hostname, "127.0.0.1");
});

Deno.test("a listener that is closed, twice, ends a pending accept with `aborted`", async () => {
  const listener = new TcpListener(ANYWHERE, socketOptions());
  const accepting = listener.accept();
  listener.close();
  listener[Symbol.dispose]();
  await assert.rejects(accepting, { code: "aborted" });
  await assert.rejects(listener.accept(), { code: "aborted" });
});

Deno.test("a port in use, and one that nobody listens on, are said in words", async () => {
  const listener = new TcpListener(ANYWHERE, socketOptions());
  const { address } = listener;
  assert.throws(() => new TcpListener(address, socketOptions()), {
    code: "bind",
    message: /in use by another program or service$/,
  });
  listener.close();
  await turn();
  await assert.rejects(dialTcp(address, socketOptions(), forever), {
    code: "connect",
    message: `127.0.0.1:${address.port} refused the connection`,
  });
});

Deno.test("a dial that is aborted, before or under way, rejects with the reason", async () => {
  using listener = new TcpListener(ANYWHERE, socketOptions());
  const reason = new Error("not wanted");
  await assert.rejects(
    dialTcp(listener.address, socketOptions(), AbortSignal.abort(reason)),
    reason,
  );
});

Deno.test("what the sandbox denies is `permission`, whatever was asked", async () => {
  const denied = { hostname: "192.0.2.1", port: 1 };
  await assert.rejects(dialTcp(denied, socketOptions(), forever), { code: "permission" });
});

Deno.test("an abort while a large buffer is in use gives its place back, once", async () => {
  const buffers = new BufferStore();
  using listener = new TcpListener(ANYWHERE, { ...socketOptions(), buffers });
  for (let round = 0; round < 20; round++) {
    using writer = await dialTcp(listener.address, socketOptions(), forever);
    using reader = await listener.accept();
    const bulk = new Uint8Array(1 << 20);
    const writing = follow((async () => {
      for (;;) await writer.write(bulk);
    })());
    // Were a place lost each round, none of 16 would be left in the end.
    for (let reads = 0, largest = 0; largest < 256 << 10; reads++) {
      assert.ok(reads < 500, `round ${round} never got the largest buffer`);
      // Time for the writer to have more waiting than the buffer of the moment holds.
      await turn();
      const chunk = await reader.read();
      assert.ok(chunk !== null);
      largest = Math.max(largest, chunk.buffer.byteLength);
    }
    const reading = follow(reader.read());
    reader.abort();
    reader.abort();
    await assert.rejects(reader.read(), { code: "aborted" });
    await until(() => reading().state !== "pending", "the reader's end");
    writer.abort();
    await until(() => writing().state !== "pending", "the writer's end");
  }
});

Deno.test("after the end and an abort a stream has given everything back", async () => {
  const [a, b] = await tcpPair();
  await a.write(new Uint8Array(100));
  await a.closeWrite();
  for (let chunk = await b.read(); chunk !== null;) chunk = await b.read();
  b.abort();
  await assert.rejects(b.read(), { code: "aborted" });
  a.abort();
});

Deno.test("a dial that is aborted as it comes about leaves no open socket behind", async () => {
  using listener = new TcpListener(ANYWHERE, socketOptions());
  for (let round = 0; round < 40; round++) {
    const controller = new AbortController();
    const reason = new Error("not wanted");
    // From a timer and from what waits for one: finished operations share their turn of the loop.
    const abort = () => controller.abort(reason);
    const aborted = round % 2 === 0 ? turn().then(abort) : void setTimeout(abort, 0);
    const dials = Array.from(
      { length: 4 },
      () =>
        dialTcp(listener.address, socketOptions(), controller.signal).then(
          (connection) => connection.abort(),
          (error) => assert.equal(error, reason),
        ),
    );
    // A connection that never came about is not accepted; one more tells that all others were.
    // The loop is held until both the timer is due and the connections are there.
    for (const end = performance.now() + 2; performance.now() < end;);
    await Promise.all([aborted, ...dials]);
    using last = await dialTcp(listener.address, socketOptions(), forever);
    await last.write(Uint8Array.of(7));
    for (;;) {
      using accepted = await listener.accept();
      const ended = follow(accepted.read());
      await until(() => ended().state !== "pending", "the end of a socket that nobody wants");
      const seen = ended();
      if (seen.state === "fulfilled" && seen.value !== null) break;
    }
  }
});
