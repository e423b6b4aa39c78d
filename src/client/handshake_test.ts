import assert from "node:assert/strict";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { readExact } from "../net/read_exact.ts";
import { createNonce, serviceDigest, sessionKey } from "../protocol/auth.ts";
import { type Ack, decodeHello, encodeAck, encodeHello } from "../protocol/messages.ts";
import { Secret } from "../runtime/secret.ts";
import { introduce } from "./handshake.ts";

/** Introduces a client to a server that answers with these; what the server read. */
async function meet(ack: Ack, nonce: Uint8Array) {
  const [client, server] = memoryPair();
  const admitted = introduce(client, "web", new Secret("token"));
  admitted.catch(() => {});
  const hello = decodeHello(await readExact(server, 37));
  await server.write(encodeHello({ kind: "control", digest: nonce }));
  const proof = (await readExact(server, 32)).slice();
  await server.write(encodeAck(ack));
  return { hello, proof, admitted };
}

Deno.test("it asks by the service's digest and proves by token and nonce", async () => {
  const nonce = new Uint8Array(32).fill(5);
  const { hello, proof, admitted } = await meet("ok", nonce);
  assert.deepEqual(hello, { kind: "control", digest: await serviceDigest("web") });
  const key = await sessionKey("token", nonce);
  assert.deepEqual(proof, key);
  assert.deepEqual(await admitted, { key, extended: false });
});

Deno.test("a marked nonce tells that the server is one of ours", async () => {
  const { admitted } = await meet("ok", await createNonce());
  assert.equal((await admitted).extended, true);
});

Deno.test("a refusal says what to do about it", async () => {
  const unknown = await meet("service-unknown", new Uint8Array(32));
  await assert.rejects(unknown.admitted, {
    code: "service",
    message: 'the server does not know service "web"; add [server.services.web] there',
  });
  const refused = await meet("auth-failed", new Uint8Array(32));
  await assert.rejects(refused.admitted, {
    code: "auth",
    message: 'the server refused the token of service "web"; both ends need the same one',
  });
});

Deno.test("something else at the other end is named", async () => {
  const text = (words: string) => new TextEncoder().encode(words);
  const version = encodeHello({ kind: "control", digest: new Uint8Array(32) });
  version[4] = 0;
  const cases: [Uint8Array, string, RegExp][] = [
    [text("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "protocol", /an HTTP reply/],
    [version, "version", /protocol version 0/],
    [encodeHello({ kind: "data", digest: new Uint8Array(32) }), "protocol", /data channel's hello/],
    [new Uint8Array(0), "closed", /the peer closed the connection/],
    [new Uint8Array(10), "closed", /after 6 of 33 bytes/],
    [Uint8Array.of(21, 3, 3, 0, 2, 2, 50), "protocol", /got a TLS alert.*transport\.type/],
    [text("HTTP/1.1"), "protocol", /an HTTP reply/],
  ];
  for (const [bytes, code, message] of cases) {
    const [client, server] = memoryPair();
    const admitted = introduce(client, "web", new Secret("token"));
    await readExact(server, 37);
    await server.write(bytes);
    await server.closeWrite();
    await assert.rejects(admitted, { code, message });
  }
});

Deno.test("an acknowledgement that is none is `protocol`", async () => {
  const [client, server] = memoryPair();
  const admitted = introduce(client, "web", new Secret("token"));
  await readExact(server, 37);
  await server.write(encodeHello({ kind: "control", digest: new Uint8Array(32) }));
  await readExact(server, 32);
  await server.write(Uint8Array.of(3, 0, 0, 0));
  await assert.rejects(admitted, { code: "protocol", message: /expected an acknowledgement/ });
});
