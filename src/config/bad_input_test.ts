import assert from "node:assert/strict";
import { parseConfig } from "./parse.ts";
import { CLIENT, report, SERVER, table } from "../../tests/support/expect_report.ts";
import { ConfigError } from "./problem.ts";

Deno.test("files without a side", () => {
  const neither = "f:1:1: neither [server] nor [client] is there; write one of them, or both";
  table([
    ["", neither],
    ["\ufeff", neither],
    ["# only a comment\n", neither],
    ["[sever]\nbind_addr = 'a:1'", "f:1:1: sever: is not known; did you mean server?"],
    ["[common]", "f:1:1: common: is not known; known are server, client"],
    ["client = 'hunter2'", "f:1:1: client: is text; write it as a table, [client]"],
    [
      "[services.ssh]\nlocal_addr = 'a:1'",
      "f:1:2: services: is not known; it belongs in [server] or [client]",
    ],
  ]);
});

Deno.test("everything wrong is reported in one go, in the order of the text", () => {
  table([[
    `[client]
remote_adr = "example.com:2333"
heartbeat_timeout = 40.0
[client.services.ssh]
local_addr = "22"
[client.services.web]
bind_addr = "0.0.0.0:80"
token = 12345
[client.transport]
type = "nois"
[server]
bind_addr = 2333
`,
    "f:2:1: client.remote_adr: is not a key of [client]; did you mean remote_addr?",
    "f:3:1: client.heartbeat_timeout = 40.0: is a float; write whole seconds such as 30, or text " +
    'such as "500ms", "1m30s"',
    'f:4:1: client.services.ssh.token: is missing; write token = "…" here, or default_token = "…" ' +
    "in [client]",
    'f:5:1: client.services.ssh.local_addr = "22": has no port; write host:port such as ' +
    '"127.0.0.1:80"',
    "f:7:1: client.services.web.bind_addr: is not a key of [client.services.web]; it belongs in " +
    "[server.services.web], the client's is local_addr",
    "f:8:1: client.services.web.token = ***: is a number; write text in quotes",
    'f:10:1: client.transport.type = "nois": is not known; did you mean "noise"? Known are "tcp", ' +
    '"tls", "noise", "websocket"',
    "f:11:1: server.services: is missing; write [server.services.NAME] for each service",
    'f:12:1: server.bind_addr = 2333: is a number; write host:port such as "0.0.0.0:2333"',
  ]]);
});

Deno.test("keys that belong elsewhere", () => {
  table([
    [
      SERVER + "heartbeat_timeout = 1",
      "f:5:1: server.heartbeat_timeout: is not a key of [server]; it belongs in [client], the " +
      "server's is heartbeat_interval",
    ],
    [
      CLIENT + "max_connections = 1",
      "f:5:1: client.max_connections: is not a key of [client]; it belongs in [server]",
    ],
    [
      CLIENT + "proxy = 'http://u:hunter2@h'",
      "f:5:1: client.proxy: is not a key of [client]; it belongs in [client.transport.tcp]",
    ],
    [
      CLIENT + "token = 'hunter2'",
      "f:5:1: client.token: is not a key of [client]; the key here is default_token",
    ],
    [
      CLIENT + "[client.ssh]\nlocal_addr = 'a:1'",
      "f:5:1: client.ssh: is not a key of [client]; a service is written [client.services.ssh]",
    ],
    [
      '[client]\nremote_addr = "[::1]:1"\n[client.services.my.ssh]\nlocal_addr = "a:1"\ntoken = "t"',
      "f:3:1: client.services.my.ssh: is not a key of [client.services.my]; a service name with a " +
      'dot needs quotes, as in [client.services."my.ssh"]',
    ],
    [
      '[server]\nbind_addr = "[::1]:1"\n[server.services.x]\nlocal_addr = "a:1"\nbind_addr="a:2"\n' +
      'tokn = "hunter2"',
      "f:4:1: server.services.x.local_addr: is not a key of [server.services.x]; it belongs in " +
      "[client.services.x], the server's is bind_addr",
      "f:6:1: server.services.x.tokn: is not a key of [server.services.x]; did you mean token?",
    ],
    [
      '[client]\nremote_addr = "[::1]:1"\ndefault-token = "hunter2"\n[client.services.x]\n' +
      'localAddr = "a:1"',
      "f:3:1: client.default-token: is not a key of [client]; did you mean default_token?",
      "f:5:1: client.services.x.localAddr: is not a key of [client.services.x]; did you mean " +
      "local_addr?",
    ],
    [
      CLIENT + "[client.transport]\nfrobnicate = 1",
      "f:6:1: client.transport.frobnicate: is not a key of [client.transport]; known are type, " +
      "tcp, tls, noise, websocket",
    ],
  ]);
});

Deno.test("addresses", () => {
  const remote = (address: string) => `[client]\nservices = {}\nremote_addr = "${address}"`;
  const line = (address: string, problem: string) =>
    `f:3:1: client.remote_addr = "${address}": ${problem}`;
  const help = '; write host:port such as "example.com:2333"';
  table(
    [
      ["example.com", "has no port" + help],
      ["example.com:", "has no port" + help],
      [":2333", "has no host" + help],
      ["example.com:http", "has no valid port" + help],
      ["example.com:-1", "has no valid port" + help],
      ["example.com:65536", "has a port above 65535" + help],
      ["example.com:123456", "has a port above 65535" + help],
      ["localhost:0", "has port 0, which nothing listens on" + help],
      ["fe80::1", "is IPv6 without brackets; write [address]:port"],
      ["::1", "is IPv6 without brackets; write [address]:port"],
      ["fe80::abcd", "has no port" + help],
      ["[::1]", "has no port" + help],
      ["[example.com]:22", "has no IPv6 address in its brackets" + help],
      ["1.2.3.4:5:6", "has more than one colon" + help],
      ["tcp://example.com:2333", "has a / in it" + help],
      ["example.com :2333", "has a space in it" + help],
    ].map(([address = "", problem = ""]) => [remote(address), line(address, problem)]),
  );
});

Deno.test("numbers, times, words", () => {
  const count = "; write a whole number, 1 or more";
  const time = '; write whole seconds such as 30, or text such as "500ms", "1m30s"';
  const service =
    '[client]\nremote_addr = "[::1]:1"\n[client.services.x]\nlocal_addr = "a:1"\ntoken = "t"\n';
  table([
    [
      SERVER + "heartbeat_interval = -1",
      "f:5:1: server.heartbeat_interval = -1: is negative; write 0 or more",
    ],
    [
      SERVER + "heartbeat_interval = '30'",
      'f:5:1: server.heartbeat_interval = "30": has no unit; write 30 without quotes for seconds, ' +
      'or "30s"',
    ],
    [
      SERVER + "drain_timeout = '1.5h'",
      'f:5:1: server.drain_timeout = "1.5h": has a fraction; write whole numbers such as "500ms" ' +
      'or "1m30s"',
    ],
    [
      SERVER + "drain_timeout = 'soon'",
      'f:5:1: server.drain_timeout = "soon": is not a time; write seconds such as 30, or text such ' +
      'as "500ms", "1m30s", "2h"',
    ],
    [
      SERVER + "visitor_timeout = 0",
      "f:5:1: server.visitor_timeout = 0: leaves no time at all; write more than 0",
    ],
    [
      SERVER + "drain_timeout = 9223372036854775808",
      "f:5:1: server.drain_timeout: is an integer of more than 64 bits" + time,
    ],
    [
      SERVER + "drain_timeout = 2026-01-01",
      "f:5:1: server.drain_timeout = 2026-01-01: is a date or time" + time,
    ],
    [SERVER + "drain_timeout = 3.0", "f:5:1: server.drain_timeout = 3.0: is a float" + time],
    [SERVER + "max_connections = 0", "f:5:1: server.max_connections = 0: is too small" + count],
    [SERVER + "max_connections = -5", "f:5:1: server.max_connections = -5: is negative" + count],
    [SERVER + "max_connections = 1.0", "f:5:1: server.max_connections = 1.0: is a float" + count],
    [
      SERVER + "max_connections = '7'",
      'f:5:1: server.max_connections = "7": is text; write 7 without quotes',
    ],
    [
      CLIENT + "prefer_ipv6 = 'true'",
      'f:5:1: client.prefer_ipv6 = "true": is text; write true without quotes',
    ],
    [
      CLIENT + "prefer_ipv6 = 1",
      "f:5:1: client.prefer_ipv6 = 1: is a number; write true or false",
    ],
    [
      service + 'type = "TCP"',
      'f:6:1: client.services.x.type = "TCP": is not known; did you mean "tcp"? Known are "tcp", ' +
      '"udp"',
    ],
    [
      service + 'type = "icmp"',
      'f:6:1: client.services.x.type = "icmp": is not known; write one of "tcp", "udp"',
    ],
  ]);
});

Deno.test("tables", () => {
  table([
    [
      '[[client.services]]\nname = "a"',
      "f:1:1: client.services: is an array of tables; write it as a table, [client.services.NAME]",
      'f:1:3: client.remote_addr: is missing; write remote_addr = "example.com:2333"',
    ],
    [
      '[client]\nremote_addr = "[::1]:1"\n[client.services]\nssh = "hunter2"',
      "f:4:1: client.services.ssh: is text; write it as a table, [client.services.ssh]",
    ],
    [
      CLIENT + "transport = ['hunter2']",
      "f:5:1: client.transport: is an array; write it as a table, [client.transport]",
    ],
    [
      '[client]\nremote_addr = "[::1]:1"',
      "f:1:1: client.services: is missing; write [client.services.NAME] for each service",
    ],
    [
      '[client]\nremote_addr = "[::1]:1"\nservices = { "" = { local_addr = "b:70000" } }',
      'f:3:14: client.services."".token: is missing; write token = "…" here, or default_token = "…" ' +
      "in [client]",
      'f:3:21: client.services."".local_addr = "b:70000": has a port above 65535; write host:port ' +
      'such as "127.0.0.1:80"',
    ],
  ]);
});

Deno.test("no secret is shown, whatever its type or place", () => {
  const places = [
    "[client]\ndefault_token = VALUE",
    "[client.services.x]\ntoken = VALUE",
    "[client.services]\ntoken = VALUE",
    "[server]\ntoken = VALUE",
    "token = VALUE",
    "[server.transport.tls]\npkcs12_password = VALUE",
    "[client.transport.noise]\nlocal_private_key = VALUE\npattern = 'Noise_XX_25519_AESGCM_SHA256'",
    "[client.transport.noise]\nremote_public_key = VALUE",
    "[client.transport.tcp]\nproxy = VALUE",
    "[client.transport]\nproxy = VALUE",
    "[client.transport.websocket.headers]\nAuthorization = VALUE",
    "[client.transport.websocket.headers]\nHost = VALUE",
    "[client.transport.websocket]\nheaders = VALUE",
    "[client.transport.websocket]\nheaders = { Cookie = VALUE }",
  ];
  const values = [
    '"12345"',
    "12345",
    "12345.5",
    "['12345']",
    "{ a = '12345' }",
    "2012-03-04T05:06:07Z # 12345",
    "'''\n12345'''",
    '"http://u:12345@h:x"',
    "12345x",
    "x12345",
    "'12345' 12345",
    String.raw`"\12345"`,
  ];
  for (const place of places) {
    for (const value of values) {
      const lines = report(place.replace("VALUE", value)).join("\n");
      assert(!/12345|2012/.test(lines), `${place} ${value}: ${lines}`);
    }
  }
});

Deno.test("terminals are not written to by names and values", () => {
  const lines = report(
    String.raw`[client]
remote_addr = "\u001b[2J\u202e\u009b"
"\u001b[31m" = 1`,
  );
  assert(!/[^\x20-\x7e…]/.test(lines.join("")), JSON.stringify(lines));
});

Deno.test("a very wrong file has a message of bounded length, and all problems", () => {
  const text = Array.from({ length: 5000 }, (_, i) => `key${i} = 1`).join("\n");
  assert.throws(() => parseConfig(text), (error) => {
    assert(error instanceof ConfigError);
    assert.equal(error.problems.length, 5000);
    assert.equal(error.message.split("\n").length, 201);
    assert(error.message.endsWith("… and 4800 more"));
    return true;
  });
});
