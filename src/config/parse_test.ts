import assert from "node:assert/strict";
import { parseConfig } from "./parse.ts";
import { ConfigError, formatProblem } from "./problem.ts";
import type { ClientConfig, ServerConfig } from "./types.ts";

const TESTDATA = new URL("../../tests/testdata/config/", import.meta.url);

function load(name: string) {
  return parseConfig(Deno.readTextFileSync(new URL(name, TESTDATA)), { file: name });
}

function server(config: { server?: ServerConfig | undefined }): ServerConfig {
  assert(config.server);
  return config.server;
}

function client(config: { client?: ClientConfig | undefined }): ClientConfig {
  assert(config.client);
  return config.client;
}

Deno.test("every key of 0.5.0 is read with its meaning", () => {
  const { config } = load("every_key_of_0.5.0.toml");
  const { services, transport, default_token, ...rest } = server(config);
  assert.deepEqual(rest, {
    bind_addr: "0.0.0.0:2333",
    strict: false,
    heartbeat_interval: 20,
    handshake_timeout: 5,
    max_pending_handshakes: 256,
    max_pending_handshakes_per_ip: 64,
    max_handshake_rate_per_ip: 100,
    max_auth_failures_per_ip: 10,
    max_auth_penalty: 60,
    max_connections: 32_768,
    max_connections_per_ip: 8192,
    max_data_channels: 8192,
    carriers: 8,
    visitor_timeout: 10,
    drain_timeout: 10,
  });
  assert.equal(default_token?.reveal(), "shared between both ends");
  assert.deepEqual([...services.keys()], ["nas", "wireguard"]);
  const { token, ...nas } = services.get("nas") ?? assert.fail();
  assert.equal(token.reveal(), "only for the NAS");
  assert.deepEqual(nas, {
    type: "tcp",
    bind_addr: "0.0.0.0:5000",
    nodelay: true,
    udp_data_channels: 1,
  });
  const wireguard = services.get("wireguard");
  assert.equal(wireguard?.token.reveal(), "shared between both ends");
  assert.equal(wireguard.bind_addr, "[::]:51820");
  assert.equal(wireguard.nodelay, false, "inherited from transport.tcp");
  const { proxy, ...tcp } = transport.tcp;
  assert.equal(proxy, undefined);
  assert.deepEqual(tcp, { nodelay: false, keepalive_secs: 30, keepalive_interval: 5 });
  assert.equal(transport.tls?.pkcs12, "/etc/rathole/identity.pfx");
  assert.equal(transport.tls?.pkcs12_password?.reveal(), "opens the identity");
  assert.equal(transport.noise?.pattern, "Noise_KK_25519_ChaChaPoly_BLAKE2s");
  assert.equal(transport.websocket?.tls, true);
});

Deno.test("the client's side of every key of 0.5.0", () => {
  const { services, transport, default_token, ...rest } = client(
    load("every_key_of_0.5.0.toml").config,
  );
  assert.deepEqual(rest, {
    remote_addr: "tunnel.example.com:2333",
    strict: false,
    heartbeat_timeout: 60,
    retry_interval: 3,
    max_retries: 0,
    carriers: 1,
    prefer_ipv6: false,
    drain_timeout: 10,
  });
  assert.equal(default_token?.reveal(), "shared between both ends");
  assert.equal(services.get("nas")?.retry_interval, 9);
  assert.equal(services.get("wireguard")?.retry_interval, 3, "inherited from the client");
  assert.equal(services.get("wireguard")?.type, "udp");
  assert.equal(transport.tcp.proxy?.reveal(), "socks5://me:p%40ss@127.0.0.1:1080");
  assert.equal(transport.tcp.keepalive_secs, 0);
  assert.equal(transport.tls?.hostname, "tunnel.example.com");
  assert.equal(transport.tls?.trusted_root, "ca.pem");
  assert.equal(transport.websocket?.tls, false);
});

Deno.test("blocks of transports not in use, and keepalive times, are warnings only", () => {
  assert.deepEqual(load("every_key_of_0.5.0.toml").warnings.map(({ key }) => key), [
    "server.transport.type",
    "server.transport.tcp.keepalive_secs",
    "server.transport.tcp.keepalive_interval",
    "server.transport.tls",
    "server.transport.noise",
    "server.transport.websocket",
    "client.transport.type",
    "client.transport.tcp.keepalive_interval",
    "client.transport.tls",
    "client.transport.noise",
    "client.transport.websocket",
  ]);
});

Deno.test("a file that leaves everything to its defaults has no warnings", () => {
  const { config, warnings } = load("client_noise.toml");
  assert.deepEqual(warnings, []);
  assert.equal(config.server, undefined);
  const { transport, services } = client(config);
  assert.equal(transport.type, "noise");
  assert.equal(transport.noise?.pattern, "Noise_NK_25519_ChaChaPoly_BLAKE2s");
  assert.deepEqual(transport.tcp.nodelay, true);
  assert.equal(services.get("ssh")?.type, "tcp");
});

Deno.test("tokens are taken literally", () => {
  assert.equal(
    server(load("server_wss.toml").config).default_token?.reveal(),
    String.raw`C:\literal\text # not a comment`,
  );
  const rdp = client(load("client_tls.toml").config).services.get("rdp");
  assert.equal(rdp?.token.reveal(), "ends in a newline\n");
});

Deno.test("inline tables and dotted keys mean what headers mean", () => {
  const { transport, services } = server(load("server_wss.toml").config);
  assert.equal(transport.type, "websocket");
  assert.equal(transport.websocket?.tls, true);
  assert.equal(transport.tls?.pkcs12_password?.reveal(), "");
  assert.deepEqual([...services].map(([name, { type }]) => [name, type]), [
    ["web", "tcp"],
    ["dns", "udp"],
  ]);
});

Deno.test("any text is a service's name", () => {
  const { services } = client(load("names.toml").config);
  const ports = [...services].map(([name, { local_addr }]) => [name, local_addr.slice(-1)]);
  assert.deepEqual(Object.entries(Object.fromEntries(ports)).length, 9);
  assert.deepEqual(
    new Map(ports.map(([name = "", port]) => [name, port])),
    new Map([
      ["constructor", "1"],
      ["__proto__", "2"],
      ["prototype", "3"],
      ["", "4"],
      ["a.b", "5"],
      ["🐀 tunnel", "6"],
      ['say "hi"', "7"],
      ["8", "8"],
      ["toString", "9"],
    ]),
  );
});

Deno.test("keys of ours, and times as text", () => {
  const { config, warnings } = load("ours.toml");
  assert.deepEqual(warnings, []);
  const { services: games, transport: from, default_token: _, ...ends } = server(config);
  assert.deepEqual(ends, {
    bind_addr: "127.0.0.1:0",
    strict: true,
    heartbeat_interval: 90,
    handshake_timeout: 2.5,
    max_pending_handshakes: 512,
    max_pending_handshakes_per_ip: 16,
    max_handshake_rate_per_ip: 50,
    max_auth_failures_per_ip: 5,
    max_auth_penalty: 120,
    max_connections: 1000,
    max_connections_per_ip: 100,
    max_data_channels: 256,
    carriers: 4,
    visitor_timeout: 20,
    drain_timeout: 0,
  });
  assert.equal(games.get("game")?.udp_data_channels, 4);
  const { services, heartbeat_timeout, retry_interval, max_retries, ...more } = client(config);
  const { carriers, prefer_ipv6, drain_timeout } = more;
  assert(heartbeat_timeout > 1e12, "as good as never");
  assert.deepEqual([retry_interval, max_retries, prefer_ipv6, drain_timeout], [3600, 5, true, 60]);
  assert.equal(carriers, 2);
  assert.equal(services.get("game")?.max_retries, 0);
  assert.equal(services.get("game")?.retry_interval, 2);
  assert.equal(services.get("web")?.max_retries, 5);
  assert.deepEqual(from.tls, {
    certificate: "/etc/letsencrypt/live/tunnel.example.com/fullchain.pem",
    private_key: "/etc/letsencrypt/live/tunnel.example.com/privkey.pem",
    client_ca: "ca.pem",
  });
  assert.deepEqual(from.websocket, {
    tls: true,
    path: "/tunnel",
    trusted_proxies: ["127.0.0.1", "fd00::/8"],
  });
  const { headers, ...request } = client(config).transport.websocket ?? assert.fail();
  assert.deepEqual(request, {
    tls: true,
    path: "/tunnel?to=home",
    host: "tunnel.example.com:8443",
  });
  assert.deepEqual([...headers?.keys() ?? []], ["Authorization", "X-Tunnel-Key"]);
  assert.equal(headers?.get("X-Tunnel-Key")?.reveal(), "long_random header");
});

Deno.test("services may be empty", () => {
  assert.equal(server(load("no_services.toml").config).services.size, 0);
});

Deno.test("a byte order mark and CRLF change nothing", () => {
  const { config, position } = parseConfig(
    '\ufeff[client]\r\nremote_addr = "a:1"\r\n  services = {}\r\n',
  );
  assert.equal(client(config).remote_addr, "a:1");
  assert.deepEqual(position("client.remote_addr"), { line: 2, column: 1 });
  assert.deepEqual(position("client.services"), { line: 3, column: 3 });
});

Deno.test("IPv6 without brackets, which 0.5.0 takes, loads in the form with brackets", () => {
  const { config, warnings } = parseConfig('[server]\nbind_addr = ":::2333"\nservices = {}', {});
  assert.equal(server(config).bind_addr, "[::]:2333");
  assert.deepEqual(warnings.slice(1).map(formatProblem), [
    '2:1: warning: server.bind_addr = ":::2333": is IPv6 without brackets; better write "[::]:2333"',
  ]);
});

Deno.test("type noise without its block loads, as in 0.5.0", () => {
  const { config, warnings } = parseConfig(
    '[client]\nremote_addr = "a:1"\nservices = {}\ntransport.type = "noise"',
  );
  assert.equal(client(config).transport.noise?.pattern, "Noise_NK_25519_ChaChaPoly_BLAKE2s");
  assert.deepEqual(warnings.map(({ key }) => key), ["client.transport.noise"]);
});

Deno.test("a transport block without type is tcp", () => {
  const { config } = parseConfig(
    '[client]\nremote_addr = "a:1"\nservices = {}\n[client.transport.tcp]\nnodelay = false',
  );
  assert.equal(client(config).transport.type, "tcp");
});

Deno.test("it is known what was written, and where", () => {
  const { written, position } = parseConfig(`[client]
remote_addr = "a:1"
[client.services."a.b"]
local_addr = "b:2"
token = "t"
[client.transport]
tcp = { nodelay = true }
`);
  assert.equal(written("client.remote_addr"), true);
  assert.equal(written("client.retry_interval"), false);
  assert.equal(written('client.services."a.b".token'), true);
  assert.equal(written(["client", "services", "a.b", "token"]), true);
  assert.equal(written("client.services.a.b.token"), false);
  assert.equal(written("client.transport.tcp.nodelay"), true);
  assert.equal(written("client.transport.tcp.proxy"), false);
  assert.deepEqual(position("client.transport.tcp.nodelay"), { line: 7, column: 9 });
  assert.deepEqual(position("client.services"), { line: 3, column: 9 });
  assert.deepEqual(position('client.services."a.b"'), { line: 3, column: 1 });
  assert.equal(position("server"), undefined);
});

Deno.test("a header written after its sub-tables is the table's place", () => {
  const { position } = parseConfig(
    '[client.services.x]\nlocal_addr = "b:2"\ntoken = "t"\n[client]\nremote_addr = "a:1"',
  );
  assert.deepEqual(position("client"), { line: 4, column: 1 });
});

Deno.test("the values print without their secrets", () => {
  for (const name of ["every_key_of_0.5.0.toml", "server_wss.toml"]) {
    const { config } = load(name);
    const shown = Deno.inspect(config, { depth: 20 }) + JSON.stringify(config.client?.transport);
    assert(!/shared between|only for|opens the|p%40ss|C:\\/.test(shown), shown);
  }
});

Deno.test("an error holds errors and warnings; its message only the errors", () => {
  assert.throws(
    () =>
      parseConfig('[client]\nremote_addr = ""\ndefault_token = ""\nservices = {}', { file: "f" }),
    (error) => {
      assert(error instanceof ConfigError);
      assert.equal(error.code, "config");
      assert.deepEqual(error.problems.map(({ severity }) => severity), ["error", "warning"]);
      assert.equal(
        error.message,
        'f:2:1: client.remote_addr = "": has no port; write host:port such as "example.com:2333"',
      );
      assert.deepEqual(error.problems[0], {
        file: "f",
        line: 2,
        column: 1,
        key: "client.remote_addr",
        value: '""',
        message: "has no port",
        help: 'write host:port such as "example.com:2333"',
        severity: "error",
      });
      return true;
    },
  );
});

Deno.test("a thousand services load", () => {
  const services = Array.from(
    { length: 1000 },
    (_, i) => `[client.services.s${i}]\ntype = "tcp"\nlocal_addr = "127.0.0.1:${i + 1}"\n`,
  );
  const text = `[client]\nremote_addr = "a:1"\ndefault_token = "t"\n${services.join("")}`;
  assert.equal(client(parseConfig(text).config).services.size, 1000);
});
