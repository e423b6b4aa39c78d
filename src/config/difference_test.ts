import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Secret } from "../runtime/secret.ts";
import { differenceOf, isSame } from "./difference.ts";
import { parseConfig } from "./parse.ts";
import type { ClientConfig, ServerConfig } from "./types.ts";

function serverOf(text: string): ServerConfig {
  const { server } = parseConfig(text).config;
  if (server === undefined) throw new Error("no server");
  return server;
}

function clientOf(text: string): ClientConfig {
  const { client } = parseConfig(text).config;
  if (client === undefined) throw new Error("no client");
  return client;
}

/** A difference as plain text. */
function difference(before: ServerConfig, after: ServerConfig): string[] {
  const found = differenceOf(before, after);
  return [
    ...found.keys,
    ...[...found.added.keys()].map((name) => `+${name}`),
    ...[...found.removed].map((name) => `-${name}`),
    ...[...found.changed].map(([name, { keys }]) => `${name}:${[...keys].join(",")}`),
  ].sort();
}

const BASE = `
[server]
bind_addr = "127.0.0.1:1"
default_token = "first token"
[server.services.a]
bind_addr = "127.0.0.1:2"
[server.services.b]
bind_addr = "127.0.0.1:3"
token = "token of b"
`;

Deno.test("differenceOf - a text and itself, or with its services in another order", () => {
  const shuffled = BASE.replace(
    /(\[server\.services\.a\][^[]*)(\[server\.services\.b\][^[]*)/,
    "$2$1",
  );
  for (const other of [BASE, `# a comment\n${BASE}`, shuffled]) {
    const found = differenceOf(serverOf(BASE), serverOf(other));
    deepEqual(difference(serverOf(BASE), serverOf(other)), []);
    equal(isSame(found), true);
  }
});

Deno.test("differenceOf - what is written with its default is the same as what is not", () => {
  const written = BASE.replace("[server]", "[server]\nheartbeat_interval = 30");
  deepEqual(difference(serverOf(BASE), serverOf(written)), []);
});

Deno.test("differenceOf - each change where it is", () => {
  for (
    const [from, to, expected] of [
      ['"127.0.0.1:1"', '"127.0.0.1:9"', ["bind_addr"]],
      ["[server]", "[server]\nheartbeat_interval = 31", ["heartbeat_interval"]],
      ['"127.0.0.1:2"', '"127.0.0.1:9"', ["a:bind_addr"]],
      ['"token of b"', '"another"', ["b:token"]],
      ["services.a]", "services.c]", ["+c", "-a"]],
      ['token = "token of b"', 'type = "udp"\ntoken = "token of b"', ["b:type"]],
      // A service that goes by the default token changes with it, one with its own does not.
      ['"first token"', '"second token"', ["a:token"]],
      ["[server.services.a]", "[server.transport]\ntype='tcp'\n[server.services.a]", []],
      [
        "[server.services.a]",
        "[server.transport.tcp]\nkeepalive_secs=7\n[server.services.a]",
        ["transport"],
      ],
    ] as const
  ) {
    const before = serverOf(BASE);
    const after = serverOf(BASE.replace(from, to));
    deepEqual(difference(before, after), [...expected], to);
    equal(isSame(differenceOf(before, after)), expected.length === 0, to);
  }
});

Deno.test("differenceOf - inherited keys of services are changes of the services", () => {
  const text = `
    [client]
    remote_addr = "127.0.0.1:1"
    default_token = "the token of all"
    retry_interval = 2
    [client.services.a]
    local_addr = "127.0.0.1:2"
    [client.services.b]
    local_addr = "127.0.0.1:2"
    retry_interval = 5
  `;
  const { keys, changed } = differenceOf(
    clientOf(text),
    clientOf(text.replace("retry_interval = 2", "retry_interval = 3")),
  );
  deepEqual([...keys], ["retry_interval"]);
  deepEqual([...changed].map(([name, { keys }]) => [name, ...keys]), [["a", "retry_interval"]]);
});

Deno.test("differenceOf - secrets inside a block, and in maps, count by what they hold", () => {
  const transport = (header: string, proxy: string) => {
    const base = clientOf('[client]\nremote_addr="h:1"\n[client.services]\n');
    const { tcp } = base.transport;
    return {
      ...base,
      transport: {
        ...base.transport,
        tcp: { ...tcp, proxy: new Secret(proxy) },
        websocket: { tls: false, headers: new Map([["x", new Secret(header)]]) },
      },
    };
  };
  equal(isSame(differenceOf(transport("a", "p"), transport("a", "p"))), true);
  deepEqual([...differenceOf(transport("a", "p"), transport("b", "p")).keys], ["transport"]);
  deepEqual([...differenceOf(transport("a", "p"), transport("a", "q")).keys], ["transport"]);
});

/** Values as they stand in configurations. */
const scalar = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "y"), fc.boolean());
const value = fc.oneof(
  scalar,
  fc.constantFrom("s", "t").map((text) => new Secret(text)),
  fc.array(scalar, { maxLength: 2 }),
  fc.record({ a: scalar, b: scalar }, { requiredKeys: ["a"] }),
);
const service = fc.record({ type: scalar, token: value }, { requiredKeys: ["type"] });
const side = fc.record({
  k: value,
  l: value,
  services: fc.uniqueArray(
    fc.tuple(fc.constantFrom("a", "b", "__proto__", "constructor", ""), service),
    { selector: ([name]) => name },
  ).map((entries) => new Map(entries)),
}, { requiredKeys: ["k", "services"] });

Deno.test("differenceOf - applied to what was before, gives what comes after", () => {
  fc.assert(fc.property(side, side, (before, after) => {
    const { keys, added, removed, changed } = differenceOf<object, typeof before>(before, after);
    const services = new Map<string, object>(before.services);
    for (const name of removed) services.delete(name);
    for (const [name, it] of added) services.set(name, it);
    for (const [name, { after: it, keys }] of changed) {
      equal(keys.size > 0, true);
      services.set(name, it);
    }
    const result = { ...before, ...Object.fromEntries([...keys].map((key) => [key, after[key]])) };
    const plain = (it: object, of: ReadonlyMap<string, object>) =>
      show({ ...it, services: new Map([...of].sort(([a], [b]) => a < b ? -1 : 1)) });
    equal(plain(result, services), plain(after, after.services));
  }));
});

Deno.test("differenceOf - is nothing between equals, and finds both ways the same", () => {
  fc.assert(fc.property(side, side, (before, after) => {
    equal(isSame(differenceOf<object, typeof before>(before, before)), true);
    const there = differenceOf<object, typeof before>(before, after);
    const back = differenceOf<object, typeof before>(after, before);
    equal(isSame(there), isSame(back));
    deepEqual([...there.added.keys()].sort(), [...back.removed].sort());
    deepEqual([...there.changed.keys()].sort(), [...back.changed.keys()].sort());
    deepEqual([...there.keys].sort(), [...back.keys].sort());
  }));
});

/** Everything, secrets revealed, in one order of keys. */
function show(value: unknown): string {
  if (value instanceof Secret) return `secret ${value.reveal()}`;
  if (value instanceof Map) return `{${[...value].map(([k, v]) => `${k}=>${show(v)}`)}}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const there = Object.entries(value).filter(([, it]) => it !== undefined);
  return `{${there.map(([k, v]) => `${k}=${show(v)}`).sort()}}`;
}
