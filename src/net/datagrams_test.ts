import assert from "node:assert/strict";
import { pattern } from "../../tests/support/connection_contract.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import type { Address } from "../runtime/address.ts";
import {
  type DatagramKind,
  type DatagramOptions,
  type DatagramTaker,
  localEndFor,
  openDatagrams,
} from "./datagrams.ts";

const ANYWHERE = { hostname: "127.0.0.1", port: 0 };

const permissions = { net: ["127.0.0.1", "[::1]", "localhost"] };

/** A socket that keeps what it receives. */
function open(options: Omit<DatagramOptions, "take">, kind?: DatagramKind) {
  const received: { payload: Uint8Array; from: Address }[] = [];
  const take: DatagramTaker = (payload, from) =>
    void received.push({ payload: Uint8Array.from(payload), from });
  const socket = openDatagrams({ ...options, take }, kind);
  return { received, socket, [Symbol.dispose]: () => socket.close() };
}

for (const kind of ["deno", "node"] as const) {
  const test = (what: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${kind}: ${what}`, permissions, fn });

  test("datagrams of 0, 1 and 65,507 bytes arrive whole, with where they came from", async () => {
    using a = open({ at: ANYWHERE }, kind);
    using b = open({ at: ANYWHERE }, kind);
    const [atA, atB] = await Promise.all([a.socket.bound, b.socket.bound]);
    for (const [i, length] of [0, 1, 65_507].entries()) {
      assert.equal(await a.socket.send(pattern(length), atB), true);
      await until(() => b.received.length === i + 1, `a datagram of ${length} bytes`);
      assert.deepEqual(b.received[i], { payload: pattern(length), from: atA });
      assert.equal(await b.socket.send(pattern(length), atA), true);
      await until(() => a.received.length === i + 1, "the reply");
    }
  });

  test("IPv6 works as well", async () => {
    const at = { hostname: "::1", port: 0 };
    using a = open({ at }, kind);
    using b = open({ at }, kind);
    const [atA, atB] = await Promise.all([a.socket.bound, b.socket.bound]);
    assert.equal(await a.socket.send(pattern(3), atB), true);
    await until(() => b.received.length === 1, "a datagram");
    assert.deepEqual(b.received[0]?.from, atA);
  });

  test("datagrams sent at once by a socket that never sent before keep their order", async () => {
    using a = open({ at: ANYWHERE }, kind);
    using b = open({ at: ANYWHERE }, kind);
    await a.socket.bound;
    const to = await b.socket.bound;
    const sent = Array.from({ length: 40 }, (_, i) => a.socket.send(Uint8Array.of(i), to));
    assert.ok((await Promise.all(sent)).every((taken) => taken));
    await until(() => b.received.length === 40, "all of them");
    assert.deepEqual(b.received.map(({ payload }) => payload[0]), sent.map((_, i) => i));
  });

  test("what the system does not take is false, and the socket goes on", async () => {
    using a = open({ at: ANYWHERE }, kind);
    using b = open({ at: ANYWHERE }, kind);
    const at = await b.socket.bound;
    await a.socket.bound;
    assert.equal(await a.socket.send(pattern(65_508), at), false);
    assert.equal(await a.socket.send(pattern(1), { hostname: "127.0.0.1", port: 0 }), false);
    assert.equal(await a.socket.send(pattern(1), { hostname: "::1", port: at.port }), false);
    assert.equal(await a.socket.send(pattern(1), at), true);
    await until(() => b.received.length === 1, "the datagram after those");
  });

  test("a port that nobody listens on costs nothing but the datagram", async () => {
    using a = open({ at: ANYWHERE }, kind);
    using b = open({ at: ANYWHERE }, kind);
    const [atA, atB] = await Promise.all([a.socket.bound, b.socket.bound]);
    const gone = open({ at: ANYWHERE }, kind);
    const nobody = await gone.socket.bound;
    gone.socket.close();
    await turn();
    for (let i = 0; i < 5; i++) {
      await a.socket.send(pattern(1), nobody);
      await turn();
    }
    await b.socket.send(pattern(9), atA);
    await until(() => a.received.length === 1, "a datagram after the port was unreachable");
    assert.deepEqual(a.received[0]?.from, atB);
  });

  test("an address in use, or not this machine's, is said so", async () => {
    using a = open({ at: ANYWHERE }, kind);
    const at = await a.socket.bound;
    using b = open({ at }, kind);
    await assert.rejects(b.socket.bound, {
      code: "bind",
      message: `cannot listen on 127.0.0.1:${at.port}: ` +
        "the address is in use by another program or service",
    });
    assert.equal(await b.socket.send(pattern(1), at), false);
  });

  test("after close, twice, nothing is sent or taken and no send is left waiting", async () => {
    const a = open({ at: ANYWHERE }, kind);
    using b = open({ at: ANYWHERE }, kind);
    const [atA, atB] = await Promise.all([a.socket.bound, b.socket.bound]);
    const sends = Array.from({ length: 20 }, () => follow(a.socket.send(pattern(60_000), atB)));
    a.socket.close();
    a.socket.close();
    a.socket[Symbol.dispose]();
    assert.equal(await a.socket.send(pattern(1), atB), false);
    await until(() => sends.every((sent) => sent().state === "fulfilled"), "every send settled");
    await b.socket.send(pattern(1), atA);
    await turn();
    assert.deepEqual(a.received, []);
  });

  test("a socket that is closed at once, with a send waiting for it, leaves nothing", async () => {
    using b = open({ at: ANYWHERE }, kind);
    const atB = await b.socket.bound;
    const a = open({ at: ANYWHERE }, kind);
    const sent = follow(a.socket.send(pattern(1), atB));
    a.socket.close();
    await until(() => sent().state === "fulfilled", "the send settled");
  });
}

Deno.test({
  name: "node: a send to a socket that cannot be bound settles as false",
  permissions,
  fn: async () => {
    using a = open({ at: ANYWHERE }, "node");
    const at = await a.socket.bound;
    using b = open({ at }, "node");
    const bound = follow(b.socket.bound);
    const sent = follow(b.socket.send(pattern(1), at));
    await until(() => bound().state === "rejected", "the bind's failure");
    await until(() => sent().state !== "pending", "the send's end");
    assert.deepEqual(sent(), { state: "fulfilled", value: false });
  },
});

Deno.test({
  name: "an address that the sandbox denies is a `permission` error with the flag to add",
  permissions: { net: ["localhost"] },
  fn: async () => {
    for (const kind of [undefined, "deno", "node"] as const) {
      using denied = open({ at: ANYWHERE }, kind);
      await assert.rejects(denied.socket.bound, {
        code: "permission",
        message: /add --allow-net=127\.0\.0\.1:0/,
      });
    }
  },
});

Deno.test("a destination is reached from the same family, loopback from loopback", () => {
  const ends = ["127.0.0.1", "127.8.8.8", "localhost", "::1", "192.0.2.1", "2001:db8::1"]
    .map((hostname) => localEndFor({ hostname, port: 53 }).hostname);
  assert.deepEqual(ends, ["127.0.0.1", "127.0.0.1", "127.0.0.1", "::1", "0.0.0.0", "::"]);
});
