import assert from "node:assert/strict";
import { Secret } from "../runtime/secret.ts";
import { CLIENT, report, SERVER, table } from "../../tests/support/expect_report.ts";
import { parseConfig } from "./parse.ts";

function websocket(side: string, keys: string): string {
  return `${side}[${side === CLIENT ? "client" : "server"}.transport]\ntype = "websocket"\n` +
    `websocket = { tls = false, ${keys} }`;
}

Deno.test("paths", () => {
  const line = (path: string, problem: string) =>
    `f:7:28: client.transport.websocket.path = ${path}: ${problem}`;
  const encode =
    "has a space, a control character or a letter beyond ASCII in it; percent-encode it";
  table([
    [websocket(CLIENT, 'path = "/"')],
    [websocket(SERVER, 'path = "/a/b%20c?d=e&f"')],
    [
      websocket(CLIENT, 'path = "tunnel"'),
      line('"tunnel"', 'does not begin with /; write a path such as "/tunnel"'),
    ],
    [
      websocket(CLIENT, 'path = ""'),
      line('""', 'does not begin with /; write a path such as "/tunnel"'),
    ],
    [
      websocket(CLIENT, 'path = "/a#b"'),
      line('"/a#b"', "has a # in it, which is never sent; leave it out, or write %23"),
    ],
    [websocket(CLIENT, 'path = "/a b"'), line('"/a b"', encode)],
    [websocket(CLIENT, String.raw`path = "/a\r\nX: y"`), line(String.raw`"/a\r\nX: y"`, encode)],
    [websocket(CLIENT, 'path = "/ä"'), line('"/ä"', encode)],
  ]);
});

Deno.test("hosts", () => {
  for (const host of ["example.com", "a_b:8443", "127.0.0.1", "[::1]", "[2001:db8::1]:443"]) {
    assert.deepEqual(report(websocket(CLIENT, `host = "${host}"`)), [], host);
  }
  for (
    const host of ["", "a b", "http://a", "a/b", "a:", "a:70000", "a:b", "::1", "[::1", "[a]", "ä"]
  ) {
    assert.deepEqual(report(websocket(CLIENT, `host = "${host}"`)), [
      `f:7:28: client.transport.websocket.host = "${host}": is no host; write host or host:port ` +
      'such as "tunnel.example.com", without scheme and path',
    ]);
  }
  assert.deepEqual(report(websocket(SERVER, 'host = "a"')), [
    'f:7:28: warning: server.transport.websocket.host = "a": has no effect; only a client uses it',
  ]);
});

Deno.test("headers are a Map of secrets, whatever their names", () => {
  const { config } = parseConfig(
    CLIENT + '[client.transport]\ntype = "websocket"\nwebsocket.tls = false\n' +
      "[client.transport.websocket.headers]\n" +
      'Authorization = "Basic hunter2"\nconstructor = ""\n"__proto__" = "a\\tb"\n"x.!y" = "z"',
  );
  const headers = config.client?.transport.websocket?.headers;
  assert.deepEqual([...headers ?? []].map(([name, value]) => [name, value.reveal()]), [
    ["Authorization", "Basic hunter2"],
    ["constructor", ""],
    ["__proto__", "a\tb"],
    ["x.!y", "z"],
  ]);
  assert(headers?.get("Authorization") instanceof Secret);
  assert(!Deno.inspect(config, { depth: 20 }).includes("hunter2"));
});

Deno.test("headers that cannot be sent", () => {
  const at = "client.transport.websocket.headers";
  const own = "is a header of the handshake's own; leave it out";
  const headers = (text: string) => websocket(CLIENT, `headers = ${text}`);
  table([
    [
      headers('{ Host = "hunter2", "Sec-WebSocket-Key" = "a", UPGRADE = "a" }'),
      `f:7:40: ${at}.Host = ***: is a header of the handshake's own; write host = "…" above the ` +
      "headers instead",
      `f:7:58: ${at}.Sec-WebSocket-Key = ***: ${own}`,
      `f:7:85: ${at}.UPGRADE = ***: ${own}`,
    ],
    [headers('{ "content-length" = "5" }'), `f:7:40: ${at}.content-length = ***: ${own}`],
    [
      headers('{ "a b" = "c", "" = "d", "ä" = "e" }'),
      ...['40: AT."a b"', '53: AT.""', '63: AT."ä"'].map((place) =>
        `f:7:${
          place.replace("AT", at)
        } = ***: is not a header's name; write letters, digits and - ` +
        "only, as in X-Tunnel-Key"
      ),
    ],
    [
      headers(String.raw`{ a = "hunter2\r\nHost: x", b = "\u0000", c = "\n", d = "\u007f" }`),
      ..."40 a,66 b,80 c,90 d".split(",").map((place) =>
        `f:7:${place.replace(" ", `: ${at}.`)} = ***: has a control character in it, which no ` +
        "header may have; leave it out"
      ),
    ],
    [headers("{ a = 12345 }"), `f:7:40: ${at}.a = ***: is a number; write text in quotes`],
    [headers("['hunter2']"), `f:7:28: ${at}: is an array; write it as a table, [${at}]`],
    [headers('"hunter2"'), `f:7:28: ${at}: is text; write it as a table, [${at}]`],
    [
      websocket(SERVER, "headers = { a = 'hunter2' }"),
      "f:7:28: warning: server.transport.websocket.headers: has no effect; only a client uses it",
    ],
  ]);
});

Deno.test("trusted proxies, and where in the array one is wrong", () => {
  const at = "server.transport.websocket.trusted_proxies";
  const wrong =
    'is neither an IP address nor a network; write one such as "127.0.0.1" or "10.0.0.0/8"';
  const array = 'write an array such as ["127.0.0.1", "10.0.0.0/8"]';
  table([
    [websocket(SERVER, "trusted_proxies = []")],
    [websocket(SERVER, "trusted_proxies = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']")],
    [
      websocket(SERVER, "trusted_proxies = [\n  '::1',\n  '10.0.0.0/33', # no\n  'localhost',\n]"),
      `f:9:3: ${at} = "10.0.0.0/33": ${wrong}`,
      `f:10:3: ${at} = "localhost": ${wrong}`,
    ],
    [
      websocket(SERVER, "trusted_proxies = ['::1', 5, { a = 1 }, [['::1']], 2.5]"),
      `f:7:54: ${at} = 5: is a number; write text in quotes`,
      `f:7:57: ${at}: is a table; write text in quotes`,
      `f:7:68: ${at}: is an array; write text in quotes`,
      `f:7:79: ${at} = 2.5: is a float; write text in quotes`,
    ],
    [websocket(SERVER, "trusted_proxies = '::1'"), `f:7:28: ${at}: is text; ${array}`],
    [websocket(SERVER, "trusted_proxies = { a = '::1' }"), `f:7:28: ${at}: is a table; ${array}`],
    [
      websocket(CLIENT, "trusted_proxies = ['::1']"),
      "f:7:28: warning: client.transport.websocket.trusted_proxies: has no effect; only a server " +
      "uses it",
    ],
  ]);
});
