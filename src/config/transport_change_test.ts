import assert from "node:assert/strict";
import { describeDifference } from "./describe_difference.ts";
import { differenceOf } from "./difference.ts";
import type { ServerOptions } from "./options.ts";
import { type TransportChange, transportChange } from "./transport_change.ts";
import { validateServerConfig } from "./validate.ts";

type Transport = NonNullable<ServerOptions["transport"]>;

function server(options: Partial<ServerOptions>) {
  return validateServerConfig({
    bind_addr: "0.0.0.0:2333",
    default_token: "one of the tests' tokens",
    services: {},
    ...options,
  });
}

const PFX = { pkcs12: "a.pfx", pkcs12_password: "a" };
const KEY = "YVhGcFJYNk5oWTFGN2lSVWlBeVFXdGhBYWFhYWFhYWE=";
const OTHER_KEY = "YlhGcFJYNk5oWTFGN2lSVWlBeVFXdGhBYWFhYWFhYWE=";
const wss = { type: "websocket", websocket: { tls: true }, tls: PFX } as const;

const rows: readonly (readonly [string, Transport, Transport, TransportChange])[] = [
  ["nothing", { type: "tcp" }, { type: "tcp" }, "none"],
  ["a block that is not in use", { type: "tcp" }, { type: "tcp", tls: PFX }, "none"],
  ["the sockets below", { type: "tcp" }, { type: "tcp", tcp: { nodelay: false } }, "kept"],
  ["the type", { type: "tcp" }, { type: "tls", tls: PFX }, "anew"],
  [
    "the server's own certificate",
    { type: "tls", tls: PFX },
    { type: "tls", tls: { ...PFX, pkcs12: "b.pfx" } },
    "kept",
  ],
  ["who may come in", { type: "tls", tls: PFX }, {
    type: "tls",
    tls: { ...PFX, client_ca: "ca.pem" },
  }, "anew"],
  [
    "a Noise key",
    { type: "noise", noise: { local_private_key: KEY } },
    { type: "noise", noise: { local_private_key: OTHER_KEY } },
    "anew",
  ],
  ["whether WebSocket goes over TLS", wss, { ...wss, websocket: { tls: false } }, "anew"],
  ["the path of WebSocket", wss, { ...wss, websocket: { tls: true, path: "/t" } }, "anew"],
  [
    "whose X-Forwarded-For is believed",
    wss,
    { ...wss, websocket: { tls: true, trusted_proxies: ["192.0.2.1"] } },
    "kept",
  ],
  ["the certificate under WebSocket", wss, { ...wss, tls: { ...PFX, pkcs12: "b" } }, "kept"],
];

for (const [what, before, after, expected] of rows) {
  Deno.test(`a change of ${what} is ${expected} to clients`, () => {
    const change = transportChange(
      server({ transport: before }).transport,
      server({ transport: after }).transport,
    );
    assert.equal(change, expected);
  });
}

Deno.test("a difference reads as one would say it, without secrets", () => {
  const service = { bind_addr: "127.0.0.1:1" };
  const before = server({ services: { a: service, b: service, c: service } });
  const after = server({
    bind_addr: "0.0.0.0:2334",
    services: { a: service, b: { bind_addr: "127.0.0.1:2", token: "secret of b" }, d: service },
  });
  assert.deepEqual(describeDifference(differenceOf(before, after)), [
    "bind_addr",
    "service c removed",
    "service d added",
    "service b: bind_addr, token",
  ]);
});
