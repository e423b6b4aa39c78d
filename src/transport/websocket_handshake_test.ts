import assert from "node:assert/strict";
import { pattern, readAll } from "../../tests/support/connection_contract.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { follow, turn } from "../../tests/support/turns.ts";
import { frameOf } from "../../tests/support/websocket.ts";
import type { WebsocketConfig } from "../config/types.ts";
import { BufferStore } from "../net/buffers.ts";
import { SystemClock } from "../runtime/clock.ts";
import { Secret } from "../runtime/secret.ts";
import { OPCODE } from "../websocket/frame.ts";
import { acceptFor } from "../websocket/upgrade.ts";
import { WebsocketLayer } from "./websocket.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ASK = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`;
const SERVER = { hostname: "tunnel.example", port: 2333 };

const layer = (config: Partial<WebsocketConfig> = {}) =>
  new WebsocketLayer({ tls: false, ...config }, {
    buffers: new BufferStore(),
    clock: new SystemClock(),
  });
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** What a server does about bytes: the error, and all that it answers. */
async function refusal(
  bytes: Uint8Array,
  config: Partial<WebsocketConfig> = {},
): Promise<{ error: Error; answer: string }> {
  const [below, raw] = memoryPair({ capacity: 200_000 });
  const handshake = follow(layer(config).respond(below));
  await raw.write(bytes);
  await raw.closeWrite();
  const answering = readAll(raw);
  for (let i = 0; i < 100 && handshake().state === "pending"; i++) await turn();
  const ended = handshake();
  assert.ok(ended.state === "rejected" && ended.reason instanceof Error);
  below.abort();
  return { error: ended.reason, answer: textOf(await answering) };
}

for (
  const [name, request, reason, config] of [
    ["a browser", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /without upgrade; .* status 404$/, {}],
    ["a HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", /an HTTP HEAD request/, {}],
    ["a POST", `POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n${"x".repeat(9)}`, /HTTP POST/, {}],
    ["another path", `${ASK}\r\n`, /another path/, { path: "/tunnel" }],
    ["version 8", `${ASK.replace("13", "8")}\r\n`, /another version/, {}],
  ] as const
) {
  Deno.test(`${name} gets a plain 404 of any web server`, async () => {
    const { error, answer } = await refusal(bytesOf(request), config);
    assert.match(error.message, reason);
    assert.equal(Reflect.get(error, "code"), "protocol");
    const [head = "", body] = answer.split("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 404 Not Found\r\nDate: .* GMT\r\nContent-Type: text\/html\r\n/);
    assert.match(head, /\r\nContent-Length: \d+\r\nConnection: close$/);
    if (name === "a HEAD") assert.equal(body, "");
    else assert.equal(body?.length, Number(/Length: (\d+)/.exec(head)?.[1]));
    assert.doesNotMatch(answer, /rathole|deno|socket/i);
  });
}

for (
  const [name, bytes, reason] of [
    ["a TLS handshake", Uint8Array.of(0x16, 3, 1, 2, 0), /got a TLS handshake/],
    ["a rathole hello", new Uint8Array(37), /got bytes that are no HTTP: .* transport\.type/],
    ["a giant head", bytesOf(ASK + "a: b\r\n".repeat(20_000)), /more than 8 KiB/],
    ["a smuggled line", bytesOf(`${ASK}A: b\nC: d\r\n\r\n`), /CR or LF by itself/],
  ] as const
) {
  Deno.test(`${name} gets a 400`, async () => {
    const { error, answer } = await refusal(bytes);
    assert.match(error.message, reason);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  });
}

Deno.test("a body is taken to its end, up to a limit, before the connection is given up", async () => {
  for (const [size, taken] of [[50_000, true], [200_000, false]] as const) {
    const [below, raw] = memoryPair({ capacity: 1000 });
    const granting = layer().respond(below).finally(() => below.abort());
    const refused = assert.rejects(granting, { code: "protocol", message: /HTTP POST/ });
    const writing = raw.write(bytesOf(`POST / HTTP/1.1\r\n\r\n${"x".repeat(size)}`));
    const sent = writing.then(() => raw.closeWrite()).then(() => true, () => false);
    assert.match(textOf(await readAll(raw)), /<\/html>\n$/);
    assert.equal(await sent, taken);
    await refused;
    raw.abort();
  }
});

Deno.test("no value of a header is in the reason of a refusal", async () => {
  for (
    const head of ["GET / HTTP/1.1\r\nAuthorization: hunter2", "GET /?hunter2 HTTP/1.1\r\nhunter2"]
  ) {
    const { error } = await refusal(bytesOf(`${head}\r\n\r\n`));
    assert.doesNotMatch(Deno.inspect(error), /hunter2/);
  }
});

Deno.test("frames right behind a head are not lost, whatever the pieces, at either end", async () => {
  const message = frameOf(OPCODE.binary, pattern(300));
  const answer = frameOf(OPCODE.binary, pattern(300), { masked: false });
  for (const readSize of [1, 7, 100_000]) {
    {
      const [below, raw] = memoryPair({ readSize });
      await raw.write(join(bytesOf(`${ASK}\r\n`), message));
      await raw.closeWrite();
      using connection = await layer().respond(below);
      assert.deepEqual(await readAll(connection), pattern(300));
      const reply = textOf(await raw.read(1000) ?? new Uint8Array(0));
      if (readSize > 7) {
        assert.equal(
          reply,
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            `Sec-WebSocket-Accept: ${acceptFor(KEY)}\r\n\r\n`,
        );
      }
    }
    const [below, raw] = memoryPair({ readSize });
    const connecting = layer().initiate(below, SERVER);
    const key = await keyOf(raw);
    const accept = `Sec-WebSocket-Accept: ${acceptFor(key)}`;
    const granted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade";
    await raw.write(join(bytesOf(`${granted}\r\n${accept}\r\n\r\n`), answer));
    await raw.closeWrite();
    using connection = await connecting;
    assert.deepEqual(await readAll(connection), pattern(300));
  }
});

async function keyOf(raw: { read(max?: number): Promise<Uint8Array | null> }): Promise<string> {
  let request = "";
  while (!request.endsWith("\r\n\r\n")) request += textOf(await raw.read() ?? new Uint8Array(0));
  return /Sec-WebSocket-Key: (\S+)/.exec(request)?.[1] ?? assert.fail(request);
}

Deno.test("a head that is cut at any byte is `closed`, at either end", async () => {
  const ask = bytesOf(`${ASK}\r\n`);
  for (let cut = 0; cut < ask.length; cut++) {
    const [below, raw] = memoryPair();
    const granting = layer().respond(below);
    if (cut > 0) await raw.write(ask.subarray(0, cut));
    raw.abort();
    await assert.rejects(granting, { code: "closed", message: /in the WebSocket handshake/ });
    below.abort();
  }
  const grant =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";
  for (let cut = 0; cut < grant.length; cut++) {
    const [below, raw] = memoryPair();
    const connecting = layer().initiate(below, SERVER);
    await keyOf(raw);
    if (cut > 0) await raw.write(bytesOf(grant.slice(0, cut)));
    raw.abort();
    await assert.rejects(connecting, { code: "closed", message: /"websocket" at the server too/ });
    below.abort();
  }
});

Deno.test("a reply that is no upgrade is explained to the client", async () => {
  for (
    const [reply, reason] of [
      ["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", /status 502: the proxy in front/],
      ["\x15\x03\x03\x00\x02\x02\x28", /got a TLS alert, no HTTP: .*transport\.type/],
      ["SSH-2.0-OpenSSH_9.6\r\n\r\n", /another transport/],
      [`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(3000)}`, /more than 8 KiB/],
    ] as const
  ) {
    const [below, raw] = memoryPair({ capacity: 100_000 });
    const connecting = layer().initiate(below, SERVER);
    await keyOf(raw);
    await raw.write(Uint8Array.from(reply, (character) => character.charCodeAt(0)));
    await assert.rejects(connecting, { code: "protocol", message: reason });
    below.abort();
  }
});

Deno.test("an abort of the connection below ends a handshake with its reason", async () => {
  for (const initiate of [false, true]) {
    const [below] = memoryPair();
    const reason = new Error("took too long");
    const shaking = initiate ? layer().initiate(below, SERVER) : layer().respond(below);
    const seen = follow(shaking);
    await turn();
    below.abort(reason);
    await turn();
    assert.deepEqual(seen(), { state: "rejected", reason });
  }
});

Deno.test("Host, path and headers are as configured, Host without the scheme's own port", async () => {
  const headers = new Map([["X-Key", new Secret("hunter2")]]);
  for (
    const [to, config, lines] of [
      [SERVER, {}, ["GET / HTTP/1.1", "Host: tunnel.example:2333"]],
      [{ ...SERVER, port: 80 }, {}, ["Host: tunnel.example"]],
      [{ ...SERVER, port: 443 }, {}, ["Host: tunnel.example:443"]],
      [{ ...SERVER, port: 443 }, { tls: true }, ["Host: tunnel.example"]],
      [{ hostname: "fe80::1%eth0", port: 1 }, {}, ["Host: [fe80::1]:1"]],
      [{ hostname: "::1", port: 80 }, {}, ["Host: [::1]"]],
      [SERVER, { host: "cdn.example", path: "/a?b", headers }, [
        "GET /a?b HTTP/1.1",
        "Host: cdn.example",
        "X-Key: hunter2",
      ]],
    ] as const
  ) {
    const [below, raw] = memoryPair();
    const connecting = follow(layer(config).initiate(below, to));
    const request = textOf(await raw.read() ?? new Uint8Array(0)).split("\r\n");
    for (const line of lines) assert.ok(request.includes(line), `${line} in ${request}`);
    below.abort();
    await turn();
    assert.equal(connecting().state, "rejected");
  }
});

Deno.test("the peer of a connection is the client, where a trusted proxy says so", async () => {
  for (
    const [trusted_proxies, expected] of [
      [["192.0.2.0/24"], { hostname: "203.0.113.9", port: 0 }],
      [["198.51.100.1"], { hostname: "192.0.2.2", port: 2 }],
      [[], { hostname: "192.0.2.2", port: 2 }],
    ] as const
  ) {
    const [below, raw] = memoryPair();
    await raw.write(bytesOf(`${ASK}X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n\r\n`));
    using connection = await layer({ trusted_proxies }).respond(below);
    assert.deepEqual(connection.peer, expected);
  }
});
