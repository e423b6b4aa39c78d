import { parseConfig } from "./parse.ts";
import assert from "node:assert/strict";
import { Secret } from "../runtime/secret.ts";
import type { ClientOptions, ServerOptions } from "./options.ts";
import { ConfigError } from "./problem.ts";
import { validateClientConfig, validateServerConfig } from "./validate.ts";

Deno.test("options get their defaults", () => {
  const config = validateServerConfig({
    bind_addr: "127.0.0.1:0",
    default_token: "t",
    heartbeat_interval: "1m",
    services: { web: { bind_addr: "127.0.0.1:0" } },
  });
  assert.equal(config.heartbeat_interval, 60);
  assert.equal(config.max_connections, 32_768);
  assert.deepEqual(config.transport, {
    type: "tcp",
    tcp: { nodelay: true, keepalive_secs: 20, keepalive_interval: 8 },
  });
  const web = config.services.get("web");
  assert.equal(web?.type, "tcp");
  assert.equal(web.token.reveal(), "t");
  assert.equal(web.nodelay, true);
});

Deno.test("secrets may be wrapped, services a Map, seconds a fraction, keys undefined", () => {
  const config = validateClientConfig({
    remote_addr: "localhost:2333",
    default_token: undefined,
    retry_interval: 0.25,
    transport: undefined,
    services: new Map([["__proto__", {
      local_addr: "localhost:1",
      token: new Secret("t"),
      nodelay: undefined,
    }]]),
  });
  assert.equal(config.retry_interval, 0.25);
  assert.equal(config.services.get("__proto__")?.token.reveal(), "t");
  assert.equal(config.services.get("__proto__")?.retry_interval, 0.25);
});

Deno.test("a complete configuration is valid options, and stays as it is", () => {
  const first = validateClientConfig({
    remote_addr: "[::1]:2333",
    heartbeat_timeout: "500ms",
    services: { a: { local_addr: "b:1", token: "t", max_retries: 3 } },
    transport: { type: "noise", noise: { remote_public_key: btoa("x".repeat(32)) } },
  });
  assert.deepEqual(validateClientConfig(first), first);
});

Deno.test("headers may be an object or a Map, proxies a frozen array, and both stay as they are", () => {
  const headers = { Authorization: "Basic abc", "X-Key": new Secret("k") };
  for (const given of [headers, new Map(Object.entries(headers))]) {
    const first = validateClientConfig({
      remote_addr: "a:1",
      services: {},
      transport: { type: "websocket", websocket: { tls: false, headers: given } },
    });
    const read = [...first.transport.websocket?.headers ?? []];
    assert.deepEqual(read.map(([name, value]) => [name, value.reveal()]), [
      ["Authorization", "Basic abc"],
      ["X-Key", "k"],
    ]);
    assert.deepEqual(validateClientConfig(first), first);
  }
  const server = validateServerConfig({
    bind_addr: "a:1",
    services: {},
    transport: {
      type: "websocket",
      websocket: { tls: false, trusted_proxies: Object.freeze(["::1"]) },
    },
  });
  assert.deepEqual(server.transport.websocket?.trusted_proxies, ["::1"]);
  assert.deepEqual(validateServerConfig(server), server);
});

/** The lines for options that a program without types might pass. */
function refused(validate: () => unknown): string[] {
  try {
    validate();
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    assert(error.problems.every(({ line, column, file }) => !line && !column && !file));
    return error.message.split("\n");
  }
  return assert.fail("was accepted");
}

Deno.test("the same rules as for files, without positions", () => {
  const options: ServerOptions = {
    bind_addr: "127.0.0.1",
    drain_timeout: -1,
    services: { web: { bind_addr: "127.0.0.1:0" }, "a.b": { bind_addr: "x:99999", token: "" } },
    transport: { type: "tls" },
  };
  assert.deepEqual(refused(() => validateServerConfig(options)), [
    'server.bind_addr = "127.0.0.1": has no port; write host:port such as "0.0.0.0:2333"',
    "server.drain_timeout = -1: is negative; write 0 or more",
    'server.services."a.b".bind_addr = "x:99999": has a port above 65535; write host:port such as ' +
    '"0.0.0.0:8080"',
    'server.services.web.token: is missing; write token = "…" here, or default_token = "…" in ' +
    "[server]",
    "server.transport.tls: is missing; write [server.transport.tls] with certificate and " +
    "private_key, or pkcs12 and pkcs12_password",
  ]);
});

Deno.test("what is no configuration at all", () => {
  const untyped = (value: unknown) => {
    const options: { value: ClientOptions } = JSON.parse(JSON.stringify({ value }));
    return refused(() => validateClientConfig(options.value));
  };
  assert.deepEqual(untyped(null), ["client: is null; write it as a table, [client]"]);
  assert.deepEqual(untyped([]), ["client: is an array; write it as a table, [client]"]);
  assert.deepEqual(untyped("x"), ["client: is text; write it as a table, [client]"]);
  assert.deepEqual(untyped(undefined), [
    'client.remote_addr: is missing; write remote_addr = "example.com:2333"',
    "client.services: is missing; write [client.services.NAME] for each service",
  ]);
  assert.deepEqual(untyped({ remote_addr: "a:1", services: [], prefer_ipv6: null, tokn: "s" }), [
    "client.services: is an array; write it as a table, [client.services.NAME]",
    "client.tokn: is not a key of [client]; known are remote_addr, strict, default_token, " +
    "heartbeat_timeout, retry_interval, max_retries, carriers, prefer_ipv6, drain_timeout, " +
    "services, transport",
    "client.prefer_ipv6: is null; write true or false",
  ]);
});

Deno.test("numbers that only programs can pass", () => {
  for (const value of [NaN, -Infinity, -0.5]) {
    const options = { remote_addr: "a:1", services: {}, retry_interval: value };
    assert.match(refused(() => validateClientConfig(options))[0] ?? "", /is not a number|negative/);
  }
  const forever = { remote_addr: "a:1", services: {}, heartbeat_timeout: Infinity };
  assert(Number.isSafeInteger(validateClientConfig(forever).heartbeat_timeout * 1000));
});

Deno.test("services that listen at one address are told of, those of another kind are not", () => {
  const { warnings } = parseConfig(`[server]
bind_addr = "127.0.0.1:1"
default_token = "t"
services.a.bind_addr = "0.0.0.0:2"
services.b = { type = "udp", bind_addr = "0.0.0.0:2" }
services.c.bind_addr = "0.0.0.0:2"
services.d.bind_addr = "127.0.0.1:1"
services.e.bind_addr = "0.0.0.0:0"
services.f.bind_addr = "0.0.0.0:0"
`);
  assert.deepEqual(warnings.map(({ key, message }) => `${key} ${message}`), [
    "server.services.c.bind_addr is server.services.a.bind_addr as well",
    "server.services.d.bind_addr is server.bind_addr as well",
  ]);
});
