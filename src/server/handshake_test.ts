import assert from "node:assert/strict";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { readExact } from "../net/read_exact.ts";
import { isMarked, sessionKey } from "../protocol/auth.ts";
import { decodeAck, decodeHello, encodeHello } from "../protocol/messages.ts";
import { Secret } from "../runtime/secret.ts";
import { authenticate, readHello } from "./handshake.ts";

const SERVICE = { name: "web", token: new Secret("right") };

/** A client's part after its hello, with a token; what the server told it. */
async function prove(connection: ReturnType<typeof memoryPair>[0], token: string) {
  const { kind, digest } = decodeHello(await readExact(connection, 37));
  assert.equal(kind, "control");
  const key = await sessionKey(token, digest);
  await connection.write(key);
  return { key, nonce: digest, ack: decodeAck(await readExact(connection, 4)) };
}

Deno.test("the right token opens a session; its key is what the client proved", async () => {
  const [client, server] = memoryPair();
  const [key, told] = await Promise.all([
    authenticate(server, SERVICE),
    prove(client, "right"),
  ]);
  assert.equal(told.ack, "ok");
  assert.deepEqual(key, told.key);
  assert.ok(await isMarked(told.nonce));
});

Deno.test("every handshake has a nonce of its own", async () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const [client, server] = memoryPair();
    const [, told] = await Promise.all([authenticate(server, SERVICE), prove(client, "right")]);
    nonces.add(told.nonce.toHex());
  }
  assert.equal(nonces.size, 5);
});

Deno.test("a wrong token and an unknown service are told, and are errors here", async () => {
  const cases = [
    [SERVICE, "wrong", "auth-failed", "auth", /wrong token for service "web"/],
    [SERVICE, "", "auth-failed", "auth", /wrong token/],
    [undefined, "right", "service-unknown", "service", /not configured/],
    [undefined, "", "service-unknown", "service", /not configured/],
  ] as const;
  for (const [service, token, ack, code, message] of cases) {
    const [client, server] = memoryPair();
    const rejected = assert.rejects(authenticate(server, service), { code, message });
    assert.equal((await prove(client, token)).ack, ack);
    await rejected;
  }
});

Deno.test("a proof that is cut short is `closed`, and nothing is acknowledged", async () => {
  const [client, server] = memoryPair();
  const rejected = assert.rejects(authenticate(server, SERVICE), {
    code: "closed",
    message: "the peer closed the connection after 31 of 32 bytes of a message",
  });
  await readExact(client, 37);
  await client.write(new Uint8Array(31));
  await client.closeWrite();
  await rejected;
});

Deno.test("a hello in pieces is read, and nothing after it", async () => {
  const [client, server] = memoryPair({ readSize: 5 });
  const hello = encodeHello({ kind: "data", digest: new Uint8Array(32).fill(7) });
  await client.write(hello);
  await client.write(Uint8Array.of(1, 2));
  assert.deepEqual(await readHello(server), {
    kind: "data",
    digest: new Uint8Array(32).fill(7),
  });
  assert.deepEqual(await server.read(), Uint8Array.of(1, 2));
});

Deno.test("what is no hello is named", async () => {
  const other = encodeHello({ kind: "control", digest: new Uint8Array(32) });
  other[4] = 2;
  const text = (words: string) => new TextEncoder().encode(words);
  const cases: [Uint8Array, string, RegExp][] = [
    [text("GET / HTTP/1.1\r\nHost: localhost:2333\r\n\r\n"), "protocol", /an HTTP request/],
    [text("SSH-2.0-OpenSSH_9.6 and then some more text"), "protocol", /an SSH greeting/],
    [other, "version", /speaks protocol version 2/],
    [new Uint8Array(37).fill(0xff), "protocol", /bytes ff ff/],
    [
      encodeHello({ kind: "data", digest: new Uint8Array(32) }).subarray(0, 20),
      "closed",
      /20 of 37/,
    ],
    [new Uint8Array(0), "closed", /the peer closed the connection/],
  ];
  for (const [bytes, code, message] of cases) {
    const [client, server] = memoryPair();
    await client.write(bytes);
    await client.closeWrite();
    await assert.rejects(readHello(server), { code, message });
  }
});
