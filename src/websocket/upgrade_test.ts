import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import { HeadReader } from "./head.ts";
import {
  acceptFor,
  createKey,
  encodeReply,
  encodeRequest,
  readReply,
  readRequest,
} from "./upgrade.ts";

// The example of RFC 6455, section 1.3.
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

function headOf(bytes: Uint8Array | string) {
  const reader = new HeadReader();
  reader.push(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  return reader.parse();
}

const request = [
  "GET /tunnel?a=b HTTP/1.1",
  "Host: example.com",
  "connection: keep-alive, UPGRADE",
  "upgrade: WebSocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
];
const ask = (lines: readonly string[], path?: string) =>
  readRequest(headOf(`${lines.join("\r\n")}\r\n\r\n`), path);
const changed = (pattern: RegExp, line: string) =>
  request.map((old) => pattern.test(old) ? line : old);

Deno.test("the answer to a key is that of RFC 6455", () => {
  assert.equal(acceptFor(KEY), ACCEPT);
  assert.match(createKey(), /^[\w+/]{22}==$/);
  assert.notEqual(createKey(), createKey());
});

Deno.test("the request is what rathole 0.5.0 takes, with the offer and nothing else", () => {
  const bytes = encodeRequest({
    path: "/",
    host: "example.com:2333",
    key: KEY,
    headers: [["X-Key", "secret"]],
  });
  assert.equal(
    new TextDecoder().decode(bytes),
    "GET / HTTP/1.1\r\nHost: example.com:2333\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      "Sec-WebSocket-Extensions: rathole-half-close\r\nX-Key: secret\r\n\r\n",
  );
});

Deno.test("an upgrade at the right path is granted, its query ignored", () => {
  assert.deepEqual(ask(request), { key: KEY, halfClose: false });
  assert.deepEqual(ask(request, "/tunnel"), { key: KEY, halfClose: false });
  const offers = [...request, "Sec-WebSocket-Extensions: other; a=1, rathole-half-close"];
  assert.deepEqual(ask(offers), { key: KEY, halfClose: true });
  assert.deepEqual(ask([...request, "Content-Length: 0"]), { key: KEY, halfClose: false });
});

for (
  const [lines, reason] of [
    [changed(/^GET/, "GET / HTTP/1.0"), /not of HTTP\/1\.1/],
    [changed(/^GET/, "GET  / HTTP/1.1"), /not of HTTP\/1\.1/],
    [changed(/^GET/, "POST / HTTP/1.1"), /an HTTP POST request/],
    [changed(/^upgrade/, "upgrade: h2c"), /without upgrade/],
    [changed(/^connection/, "connection: keep-alive"), /a proxy has lost/],
    [changed(/Version/, "Sec-WebSocket-Version: 8"), /another version/],
    [[...request, "Sec-WebSocket-Version: 13"], /another version/],
    [changed(/Key/, "Sec-WebSocket-Key: short"), /without a valid key/],
    [[...request, `Sec-WebSocket-Key: ${KEY}`], /without a valid key/],
    [[...request, "Content-Length: 1"], /with a body/],
    [[...request, "Content-Length: 0", "Content-Length: 5"], /with a body/],
    [[...request, "Transfer-Encoding: chunked"], /with a body/],
  ] as const
) {
  Deno.test(`a request is refused: ${reason.source}`, () => {
    assert.match(`${ask(lines)}`, reason);
  });
}

Deno.test("another path is refused", () => {
  for (const path of ["/", "/tunne", "/tunnel/", "/tunnel?a=b"]) {
    assert.match(`${ask(request, path)}`, /another path/);
  }
});

Deno.test("a reply of ours is understood by ours", () => {
  for (const halfClose of [false, true]) {
    const head = headOf(encodeReply({ key: KEY, halfClose }));
    assert.equal(readReply(head, KEY), halfClose);
  }
});

const good = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: x, upgrade\r\n`;
for (
  const [reply, reason] of [
    ["SSH-2.0-x", /another transport/],
    ["HTTP/1.1 200 OK", /status 200: another program/],
    ["HTTP/1.1 301 Moved", /status 301: .*wss/],
    ["HTTP/1.1 400 Bad Request", /status 400: .*transport, or TLS/],
    ["HTTP/1.1 401 Unauthorized", /status 401: .*websocket\.headers/],
    ["HTTP/1.1 404 Not Found", /status 404: wrong transport\.websocket\.path/],
    ["HTTP/1.1 426 Upgrade Required", /status 426: .*does not pass upgrades on/],
    ["HTTP/1.1 502 Bad Gateway", /status 502: .*cannot reach it/],
    [`${good}Sec-WebSocket-Accept: nonsense`, /not the answer to our key/],
    [good.trimEnd(), /not the answer to our key/],
    [`HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade`, /something else/],
    [`HTTP/1.1 101 x\r\nUpgrade: websocket`, /something else/],
    [
      `${good}Sec-WebSocket-Accept: ${ACCEPT}\r\nSec-WebSocket-Extensions: permessage-deflate`,
      /nobody offered/,
    ],
    [`${good}Sec-WebSocket-Accept: ${ACCEPT}\r\nSec-WebSocket-Protocol: chat`, /nobody offered/],
  ] as const
) {
  Deno.test(`a reply is refused, with what to do: ${reason.source}`, () => {
    const refused = { name: "RatholeError", code: "protocol", message: reason };
    assert.throws(() => readReply(headOf(`${reply}\r\n\r\n`), KEY), refused);
  });
}

Deno.test("no head makes either side throw anything but a `protocol` error", () => {
  const line = fc.constantFrom(
    ...request,
    ...good.split("\r\n"),
    "Host:",
    "Connection: ,;,",
    "a:b",
  );
  fc.assert(
    fc.property(
      fc.array(line),
      fc.constantFrom("GET / HTTP/1.1", good.slice(0, 32)),
      (lines, start) => {
        const head = headOf(
          `${[start, ...lines.filter((it) => it.includes(":"))].join("\r\n")}\r\n\r\n`,
        );
        readRequest(head, "/");
        try {
          readReply(head, KEY);
        } catch (error) {
          assert.ok(error instanceof RatholeError && error.code === "protocol");
        }
      },
    ),
  );
});
