import assert from "node:assert/strict";
import { parseConfig } from "./parse.ts";
import { ConfigError, formatProblem } from "./problem.ts";
import { keepaliveWarning } from "./transport_rules.ts";

/** What a person sees for a text: errors, and the warnings beside them. */
function report(text: string): string[] {
  try {
    return parseConfig(text, { file: "f" }).warnings.map(formatProblem);
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    return error.problems.map(formatProblem);
  }
}

/** Texts, and every line of their report. */
function table(cases: readonly (readonly [text: string, ...lines: string[]])[]): void {
  for (const [text, ...lines] of cases) assert.deepEqual(report(text), lines, text);
}

/** A client in which only what follows can be wrong. */
const CLIENT = '[client]\nremote_addr = "a:1"\ndefault_token = "t"\nservices = {}\n';
const SERVER = '[server]\nbind_addr = "a:1"\ndefault_token = "t"\nservices = {}\n';

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
      '[client]\nremote_addr = "a:1"\n[client.services.my.ssh]\nlocal_addr = "a:1"\ntoken = "t"',
      "f:3:1: client.services.my.ssh: is not a key of [client.services.my]; a service name with a " +
      'dot needs quotes, as in [client.services."my.ssh"]',
    ],
    [
      '[server]\nbind_addr = "a:1"\n[server.services.x]\nlocal_addr = "a:1"\nbind_addr="a:2"\n' +
      'tokn = "hunter2"',
      "f:4:1: server.services.x.local_addr: is not a key of [server.services.x]; it belongs in " +
      "[client.services.x], the server's is bind_addr",
      "f:6:1: server.services.x.tokn: is not a key of [server.services.x]; did you mean token?",
    ],
    [
      '[client]\nremote_addr = "a:1"\ndefault-token = "hunter2"\n[client.services.x]\n' +
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
      ["example.com:0", "has port 0, which nothing listens on" + help],
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
    '[client]\nremote_addr = "a:1"\n[client.services.x]\nlocal_addr = "a:1"\ntoken = "t"\n';
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
      '[client]\nremote_addr = "a:1"\n[client.services]\nssh = "hunter2"',
      "f:4:1: client.services.ssh: is text; write it as a table, [client.services.ssh]",
    ],
    [
      CLIENT + "transport = ['hunter2']",
      "f:5:1: client.transport: is an array; write it as a table, [client.transport]",
    ],
    [
      '[client]\nremote_addr = "a:1"',
      "f:1:1: client.services: is missing; write [client.services.NAME] for each service",
    ],
    [
      '[client]\nremote_addr = "a:1"\nservices = { "" = { local_addr = "b:70000" } }',
      'f:3:14: client.services."".token: is missing; write token = "…" here, or default_token = "…" ' +
      "in [client]",
      'f:3:21: client.services."".local_addr = "b:70000": has a port above 65535; write host:port ' +
      'such as "127.0.0.1:80"',
    ],
  ]);
});

Deno.test("transports", () => {
  const tls = "[server.transport]\ntype = 'tls'\n";
  const noise = "[client.transport]\ntype = 'noise'\n[client.transport.noise]\n";
  const name = "Noise_KKpsk0_25519_ChaChaPoly_BLAKE2s";
  const psk = `client.transport.noise.pattern = "${name}": asks for a pre-shared key, which the ` +
    "configuration has no key for; leave the psk modifier out";
  const noTls =
    "f:5:1: client.transport.tls: is missing; write [client.transport.tls], if only empty";
  table([
    [
      SERVER + tls,
      "f:5:1: server.transport.tls: is missing; write [server.transport.tls] with pkcs12 and " +
      "pkcs12_password",
    ],
    [
      SERVER + tls + "tls = { pkcs12 = 'a', hostname = 'b' }",
      "f:7:1: server.transport.tls.pkcs12_password: is missing; write pkcs12_password = " +
      '"password of the file"',
      'f:7:23: warning: server.transport.tls.hostname = "b": has no effect; only a client uses it',
    ],
    [CLIENT + "transport = { type = 'tls' }", noTls],
    [CLIENT + "transport = { type = 'websocket', websocket = { tls = true } }", noTls],
    [
      CLIENT + "transport = { type = 'websocket' }",
      "f:5:1: client.transport.websocket: is missing; write [client.transport.websocket] with " +
      "tls = true or false",
    ],
    [
      CLIENT + "transport = { type = 'websocket', websocket = {} }",
      "f:5:35: client.transport.websocket.tls: is missing; write tls = false",
    ],
    [
      CLIENT + "transport = { type = 'websocket', websocket = { tls = false }, tls = {} }",
      "f:5:64: warning: client.transport.tls: is not used, since websocket.tls is false; write " +
      "tls = true there to use it",
    ],
    [
      CLIENT + "transport = { tls = { pkcs12_password = 'hunter2' } }",
      "f:5:15: warning: client.transport.tls: is not used, since client.transport.type is not " +
      'written; write type = "tls" to use it',
      "f:5:23: warning: client.transport.tls.pkcs12_password = ***: has no effect; only a server " +
      "uses it",
    ],
    [CLIENT + noise + `pattern = "${name}"`, `f:8:1: ${psk}`],
    [
      CLIENT + noise.replace("noise'", "tcp'") + `pattern = "${name}"`,
      'f:7:1: warning: client.transport.noise: is not used, since client.transport.type is "tcp"; ' +
      'write type = "noise" to use it',
      `f:8:1: warning: ${psk}`,
    ],
    [
      CLIENT + noise + "local_private_key = 'hunter2'",
      "f:7:1: client.transport.noise.remote_public_key: is missing, and NK needs it; write the " +
      "server's public key in base64",
      "f:8:1: client.transport.noise.local_private_key = ***: is 5 bytes long; write 32 bytes in " +
      "standard base64, as rathole --genkey prints them",
    ],
    [
      SERVER + noise.replaceAll("client", "server"),
      "f:7:1: warning: server.transport.noise.local_private_key: is missing, so that each start " +
      "makes a new key that no client knows; write the key of rathole --genkey",
    ],
  ]);
});

Deno.test("proxies", () => {
  const proxy = (url: string) => `${CLIENT}transport = { tcp = { proxy = "${url}" } }`;
  const line = (problem: string) => `f:5:23: client.transport.tcp.proxy = ***: ${problem}`;
  const help =
    "write socks5://host:port or http://host:port, with user:password@ before the host " +
    "where the proxy asks for it";
  table([
    [proxy("127.0.0.1:1080"), line(`is not a URL; ${help}`)],
    [proxy("https://u:hunter2@h:1"), line(`has a scheme that is neither socks5 nor http; ${help}`)],
    [proxy("socks5://u:hunter2@:1"), line(`has no host; ${help}`)],
    [proxy("socks5://h:99999"), line(`is not a valid URL; ${help}`)],
    [proxy("http://h:0"), line(`has port 0, which nothing listens on; ${help}`)],
    [
      proxy("http://u:12/hunter2@h:1"),
      line("has no @ where host and port end; percent-encode /, ? and # in user and password"),
    ],
    [
      SERVER + "transport = { tcp = { proxy = 'hunter2' } }",
      "f:5:23: warning: server.transport.tcp.proxy = ***: has no effect; only a client uses it",
    ],
  ]);
});

Deno.test("warnings of files that load", () => {
  table([
    [
      CLIENT.replace('"t"', '""'),
      "f:3:1: warning: client.default_token = ***: is empty, so that anybody may offer the service; " +
      "write a long random text",
    ],
    [
      CLIENT + "[client.transport.tcp]\nkeepalive_secs = 20\nkeepalive_interval = 8",
      `f:6:1: warning: client.transport.tcp.keepalive_secs = 20: ${
        keepaliveWarning("keepalive_secs")
      }`,
      `f:7:1: warning: client.transport.tcp.keepalive_interval = 8: ${
        keepaliveWarning("keepalive_interval")
      }`,
    ],
    [CLIENT + "[client.transport.tcp]\nkeepalive_secs = 0"],
    [
      SERVER.replace("{}", "{ x = { bind_addr = '[::1]:0', udp_data_channels = 2 } }"),
      "f:4:43: warning: server.services.x.udp_data_channels = 2: has no effect; only services of " +
      'type = "udp" use it',
    ],
  ]);
});

Deno.test("errors of syntax", () => {
  const notToml = 'f:1:1: this is not TOML; write [client], then keys such as remote_addr = "…"';
  table([
    ["[client]\ntoken = hunter2", 'f:2:9: text needs quotes; write token = "…"'],
    ["[client]\n  remote_addr = 1.2.3.4:5", 'f:2:17: text needs quotes; write remote_addr = "…"'],
    ["heartbeat_interval = 1m30s", 'f:1:22: text needs quotes; write heartbeat_interval = "…"'],
    ["hunter2 = x", 'f:1:11: text needs quotes; write key = "…"'],
    [
      "[client]\ntoken = “hunter2”",
      'f:2:9: the quotes are typographic; write straight ones, token = "…"',
    ],
    ["prefer_ipv6 = True", "f:1:15: true and false are lower case; write prefer_ipv6 = true"],
    ["[client]\ntoken =\n\n[server]", 'f:2:8: the value is missing; write token = "…"'],
    ["a: 1", "f:1:2: the key is followed by a colon; write key = value"],
    ['{"server": {}}', notToml],
    ["<html>hunter2", notToml],
    ["Hello world", 'f:1:7: there is no =; write key = "value"'],
    [
      "[client]\ntoken = 'hunter2",
      "f:2:17: the text does not end; close it with the quote it began with, on the same line",
    ],
    ["[client", "f:1:8: the table's header does not end; close it with ]"],
    ["[client\n\nservices = {}", "f:1:8: the table's header does not end; close it with ]"],
    ["a\n= 1", "f:2:1: key, = and value must be on one line; join them"],
    ["a = {b = 1", "f:1:11: the inline table does not end; add }"],
    ["a = [1", "f:1:7: the array does not end; add ]"],
    [
      String.raw`token = "C:\qunter2"`,
      String.raw`f:1:13: a backslash needs a second one; write \\ for it, or use single quotes`,
    ],
    [
      "token = 'it''s hunter2'",
      "f:1:13: something follows what should end the line; begin a new line, or a comment with #",
    ],
    [
      "[a]\nb = 1\n[a]",
      "f:3:2: the table [a] is there twice, first in line 1; write its keys below one header",
    ],
    [
      "[client]\ntoken = 'hunter2'\n\ntoken = 'hunter2'",
      "f:4:1: the key token is there twice, first in line 2; leave one out",
    ],
    ["'hunter2' = 1\n'hunter2' = 2", "f:2:1: a key is there twice; leave one out"],
    ["\0\u0001hunter2", "f:1:1: the file is not UTF-8 text; save it as UTF-8"],
    [
      'token = "\u0001hunter2"',
      "f:1:10: there is a control character; leave it out, or in text write an escape such as " +
      String.raw`"\t"`,
    ],
    [`a = ${"[".repeat(20_000)}${"]".repeat(20_000)}`, "f:1:1: the file is nested too deep"],
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
