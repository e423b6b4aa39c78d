/**
 * Ends that do not fit together: each one that can know says why, in its events and its log, so
 * that somebody can act on it; the client tries again; and nobody else notices anything.
 *
 * Permissions: --allow-net --allow-read --allow-write
 *
 * @module
 */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { TransportOptions } from "../src/config/options.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { Certificates } from "./support/certificates.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { keepLog, type KeptLog } from "./support/log.ts";
import { keysOf } from "./support/noise_pair.ts";
import { clientFor, serverFor, type WatchedServer } from "./support/tunnel.ts";

/**
 * A client that does not fit: what it is, its transport, what it says, and what the server says
 * (null where it cannot know).
 */
type Case = readonly [name: string, client: TransportOptions, says: RegExp, hears: RegExp | null];

/** A server, a client that fits, and those that do not. */
interface Group {
  readonly name: string;
  readonly server: TransportOptions;
  /** Null when no client of ours fits. */
  readonly fits: TransportOptions | null;
  readonly cases: readonly Case[];
}

/** How long a handshake may take where two protocols wait for each other. */
const HANDSHAKE = "500ms";

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const otherCa = await made.ca("other");
const own = await made.signed(ca);
const mine = await made.signed(ca, { usage: "client" });
const foreign = await made.signed(otherCa, { usage: "client" });
const stale = await made.signed(ca, { usage: "client", from: -9, until: -2 });
const trusted_root = ca.certificate;

const NK = "Noise_NK_25519_ChaChaPoly_BLAKE2s";
const KK = "Noise_KK_25519_ChaChaPoly_BLAKE2s";
const XX = "Noise_XX_25519_ChaChaPoly_BLAKE2s";
const [server, client, stranger] = await Promise.all([1, 2, 3].map((seed) => keysOf(NK, seed)));
ok(server && client && stranger);

type Keys = typeof server;

function noise(pattern: string, local?: Keys, remote?: Keys): TransportOptions {
  return {
    type: "noise",
    noise: {
      pattern,
      ...(local && { local_private_key: local.privateKey }),
      ...(remote && { remote_public_key: remote.publicKey }),
    },
  };
}

const tcp: TransportOptions = { type: "tcp" };
const tls = (more: TransportOptions["tls"] = {}): TransportOptions => ({
  type: "tls",
  tls: { trusted_root, ...more },
});
const ws = (more: Partial<TransportOptions["websocket"]> = {}): TransportOptions => ({
  type: "websocket",
  websocket: { tls: false, ...more },
});
const wss: TransportOptions = { ...ws({ tls: true }), tls: { trusted_root } };
const noiseNK = noise(NK, undefined, server);

const GROUPS: readonly Group[] = [
  {
    name: "noise NK",
    server: noise(NK, server),
    fits: noiseNK,
    cases: [
      [
        "another key",
        noise(NK, undefined, stranger),
        /^in the noise handshake with the server, .*another key or another pattern than Noise_NK_/,
        /^the client's first noise message cannot be read.*its remote_public_key is not this server's, \S{44},/,
      ],
      [
        "pattern XX",
        noise(XX, client, server),
        /another pattern than Noise_XX_/,
        /does not speak Noise_NK_.*32 bytes instead of 48; write the same .*pattern at both ends$/,
      ],
      [
        "pattern KK",
        noise(KK, client, server),
        /another pattern than Noise_KK_/,
        /cannot be read.*its pattern is not Noise_NK_/,
      ],
      [
        "another cipher",
        noise("Noise_NK_25519_AESGCM_BLAKE2s", undefined, server),
        /another pattern than Noise_NK_25519_AESGCM_/,
        /its pattern is not Noise_NK_25519_ChaChaPoly_/,
      ],
      [
        "tcp",
        tcp,
        /^no hello from the server: .*another transport/,
        /not speak noise but plain rathole \(tcp\); write the same transport\.type/,
      ],
      [
        "tls",
        tls(),
        /closed .* TLS handshake; does the server use transport\.type = "tls".*\?$/,
        /not speak noise but TLS; write the same transport\.type/,
      ],
      [
        "websocket",
        ws(),
        /is transport\.type "websocket" at the server too\?$/,
        /not speak noise but HTTP/,
      ],
    ],
  },
  {
    name: "noise KK",
    server: noise(KK, server, client),
    fits: noise(KK, client, server),
    cases: [
      [
        "a client of another key",
        noise(KK, stranger, server),
        /another key or another pattern/,
        /its key is not the remote_public_key here, \S{44}, or its remote_public_key is not this/,
      ],
      [
        "a client that expects another server",
        noise(KK, client, stranger),
        /another key or another pattern/,
        /its key is not the remote_public_key here, \S{44}, or its remote_public_key is not this/,
      ],
    ],
  },
  {
    name: "noise XX, the client's key pinned",
    server: noise(XX, server, client),
    fits: noise(XX, client, server),
    cases: [
      [
        "a client of another key",
        noise(XX, stranger, server),
        /^no hello from the server: .* refuses this client's key/,
        /^the client has the public key \S{44}, and remote_public_key is \S{44}; if its key was changed/,
      ],
      [
        "a client that expects another server",
        noise(XX, client, stranger),
        /^the server has the public key \S{44}, and remote_public_key is \S{44}; if its key was/,
        /closed the connection; it may have another key/,
      ],
      [
        "a client without a key",
        noise(XX, undefined, server),
        /^no hello from the server: .* refuses this client's key/,
        /^the client has the public key/,
      ],
    ],
  },
  {
    name: "tls",
    server: { type: "tls", tls: { ...own } },
    fits: tls(),
    cases: [
      [
        "another CA",
        tls({ trusted_root: otherCa.certificate }),
        /not signed by a CA that is trusted here; set transport\.tls\.trusted_root/,
        /does not trust this server's certificate; its transport\.tls\.trusted_root must/,
      ],
      [
        "no CA",
        { type: "tls", tls: {} },
        /not signed by a CA that is trusted here; set transport\.tls\.trusted_root/,
        /does not trust this server's certificate/,
      ],
      [
        "another name",
        tls({ hostname: "tunnel.example" }),
        /not for the name "tunnel\.example"; set transport\.tls\.hostname.*localhost/,
        /refuses this server's certificate; its log says why/,
      ],
      [
        "another CA, by a client with a certificate",
        tls({ trusted_root: otherCa.certificate, ...mine }),
        /not signed by a CA that is trusted here, or has expired.*set transport\.tls\.trusted_root/,
        /does not trust this server's certificate/,
      ],
      [
        "another name, by a client with a certificate",
        tls({ hostname: "tunnel.example", ...mine }),
        /not for the name "tunnel\.example"; set transport\.tls\.hostname.*localhost/,
        /^the connection was cut/,
      ],
      [
        "tcp",
        tcp,
        /expected a rathole hello, got a TLS alert: do both ends have the same transport\.type/,
        /does not speak TLS; does it use transport\.type = "tls".*\?/,
      ],
      [
        "noise",
        noiseNK,
        /not speak noise but TLS; write the same transport\.type/,
        /does not speak TLS/,
      ],
      [
        "websocket",
        ws(),
        /no HTTP: is TLS on at one end only/,
        /does not speak TLS/,
      ],
      [
        "websocket over tls",
        wss,
        /is transport\.type "websocket" at the server too\?$/,
        /expected a rathole hello, got an HTTP request: do both ends have/,
      ],
    ],
  },
  {
    name: "tls with client certificates",
    server: { type: "tls", tls: { ...own, client_ca: ca.certificate } },
    fits: tls({ ...mine }),
    cases: [
      [
        "none",
        tls(),
        /wants a client certificate; set transport\.tls\.certificate and private_key/,
        /showed no certificate, and client_ca demands one; set certificate and private_key/,
      ],
      [
        "another CA's",
        tls({ ...foreign }),
        /refuses the client's certificate: transport\.tls\.certificate must be signed by its client_ca/,
        /not signed by client_ca, is not for clients, or has expired/,
      ],
      [
        "an expired one",
        tls({ ...stale }),
        /refuses the client's certificate: .* and in date/,
        /or has expired, or is not valid yet; check both clocks/,
      ],
    ],
  },
  {
    name: "tls with an expired certificate",
    server: { type: "tls", tls: await made.signed(ca, { from: -9, until: -2 }) },
    fits: null,
    cases: [[
      "any",
      tls(),
      /has expired; renew it at the server/,
      /expired or not valid yet; renew it/,
    ], [
      "any with a certificate",
      tls({ ...mine }),
      /or has expired, or is not valid yet/,
      /expired or not valid yet; renew it/,
    ]],
  },
  {
    name: "tls with a certificate of tomorrow",
    server: { type: "tls", tls: await made.signed(ca, { from: 2, until: 9 }) },
    fits: null,
    cases: [[
      "any",
      tls(),
      /not valid yet; check the clock of this machine/,
      /not valid yet; renew it, or check the client's clock/,
    ]],
  },
  {
    name: "tcp",
    server: tcp,
    fits: tcp,
    cases: [
      [
        "tls",
        tls(),
        /closed .* TLS handshake; does the server use transport\.type = "tls".*\?$/,
        /got a TLS handshake: do both ends have the same transport\.type\?/,
      ],
      [
        "tls with a certificate",
        tls({ ...mine }),
        /closed .* TLS handshake; does the server use transport\.type = "tls".*\?$/,
        /got a TLS handshake: do both/,
      ],
      [
        "noise",
        noiseNK,
        /in the noise handshake with the server, the peer closed/,
        /got bytes 30 00 .*: do both ends have the same transport\.type\?/,
      ],
      [
        "noise XX",
        noise(XX, client),
        /in the noise handshake with the server, the peer closed/,
        /nothing valid came within handshake_timeout/,
      ],
      [
        "websocket",
        ws(),
        /is transport\.type "websocket" at the server too\?$/,
        /got an HTTP request: do both/,
      ],
      [
        "websocket over tls",
        wss,
        /closed .* TLS handshake; does the server/,
        /got a TLS handshake: do both/,
      ],
    ],
  },
  {
    name: "websocket",
    server: ws({ path: "/tunnel" }),
    fits: ws({ path: "/tunnel" }),
    cases: [
      [
        "another path",
        ws({ path: "/other" }),
        /HTTP status 404: wrong transport\.websocket\.path or host/,
        /an upgrade at another path than transport\.websocket\.path/,
      ],
      [
        "tcp",
        tcp,
        /got an HTTP reply: do both ends have/,
        /no HTTP: do both ends have the same transport\.type\?/,
      ],
      [
        "tls",
        tls(),
        /does not answer in TLS/,
        /a TLS handshake, no HTTP: is TLS on at one end only/,
      ],
      [
        "noise",
        noiseNK,
        /not speak noise but HTTP.*write the same transport\.type/,
        /no HTTP: do both ends have/,
      ],
      ["websocket over tls", wss, /does not answer in TLS/, /a TLS handshake, no HTTP/],
    ],
  },
  {
    name: "websocket over tls",
    server: { ...ws({ tls: true }), tls: { ...own } },
    fits: wss,
    cases: [
      [
        "websocket",
        ws(),
        /expected a WebSocket server, got a TLS alert, no HTTP/,
        /does not speak TLS/,
      ],
      ["tls", tls(), /got an HTTP reply: do both ends/, /no HTTP: do both ends/],
      ["tcp", tcp, /got a TLS alert/, /does not speak TLS/],
      ["noise", noiseNK, /not speak noise but TLS/, /does not speak TLS/],
    ],
  },
];

/** A client that is served, with a stream that is open. */
async function bystanderOf(server: WatchedServer, transport: TransportOptions) {
  await using stack = new AsyncDisposableStack();
  const local = stack.use(echoService());
  const client = stack.use(await clientFor(server, { good: local.address }, { transport }));
  const door = await server.door("good");
  const visitor = await visit(door);
  stack.defer(() => visitor.close());
  const owned = stack.move();
  return {
    async unharmed() {
      await writeAll(visitor, bytesOf("still"));
      equal(textOf(await readBytes(visitor, 5)), "still");
      equal(textOf(await ask(door, bytesOf("new"))), "new");
      deepEqual(client.events.all("control-channel-lost"), []);
      deepEqual(client.events.all("data-channel-failed"), []);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Has a client fail twice, and proves that it said why and goes on trying. */
async function failing(remote: string, transport: TransportOptions, says: RegExp, log: KeptLog) {
  await using client = await clientFor(remote, { bad: { local_addr: "127.0.0.1:9" } }, {
    transport,
    retry_interval: "20ms",
  });
  const failures = () => client.events.all("control-channel-failed");
  await client.events.until("control-channel-failed", () => failures().length >= 2);
  for (const { reason } of failures()) match(reason, says);
  equal(client.events.all("control-channel-established").length, 0);
  equal(client.events.all("gave-up").length, 0);
  ok(["connecting", "waiting"].includes(client.service().state), client.service().state);
  match(client.service().lastError ?? "", says);
  const lines = log.reasons("Cannot establish control channel");
  ok(lines.length >= 2);
  for (const reason of lines) match(reason, says);
}

for (const { name, server, fits, cases } of GROUPS) {
  Deno.test(`a server of ${name}`, { timeout: 60_000 }, async (t) => {
    using log = keepLog();
    await using watched = await serverFor({ good: {}, bad: {} }, {
      transport: server,
      handshake_timeout: HANDSHAKE,
    });
    await using bystander = fits === null ? null : await bystanderOf(watched, fits);
    for (const [client, transport, says, hears] of cases) {
      await t.step(`a client of ${client}`, async () => {
        watched.events.forget();
        log.records.length = 0;
        await failing(watched.address, transport, says, log);
        if (hears !== null) {
          await watched.events.until("handshake-failed");
          for (const { reason } of watched.events.all("handshake-failed")) match(reason, hears);
          const lines = log.reasons("Handshake failed");
          ok(lines.length > 0);
          for (const reason of lines) match(reason, hears);
        }
        await bystander?.unharmed();
      });
    }
  });
}

/** Programs that are no server of ours, which answer a client's first bytes. */
const STRANGERS: readonly [name: string, answer: string, client: TransportOptions, RegExp][] = [
  ["HTTP 502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", ws(), /HTTP status 502: .*server/],
  ["HTTP 503", "HTTP/1.1 503 Service Unavailable\r\n\r\n", ws(), /HTTP status 503/],
  ["a redirection", "HTTP/1.1 301 Moved\r\nLocation: https://a.example/\r\n\r\n", ws(), /301/],
  ["a page", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ws(), /HTTP status 200/],
  ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n".padEnd(99), tcp, /got an HTTP reply/],
  ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", tls(), /does not answer in TLS/],
  ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", noiseNK, /HTTP, or something like it/],
  ["SSH", "SSH-2.0-OpenSSH_9.6\r\n".padEnd(99), tcp, /SSH/],
  ["SSH", "SSH-2.0-OpenSSH_9.6\r\n", tls(), /does not answer in TLS/],
  ["SSH", "SSH-2.0-OpenSSH_9.6\r\n", noiseNK, /SSH/],
  ["SSH", "SSH-2.0-OpenSSH_9.6\r\n", ws(), /is transport\.type "websocket" at the server too/],
  ["nothing", "", tcp, /^no hello from the server/],
  ["nothing", "", tls(), /closed the connection during the TLS handshake/],
  ["nothing", "", noiseNK, /closed the connection/],
  ["nothing", "", ws(), /closed the connection in the WebSocket handshake/],
];

for (const [name, answer, transport, says] of STRANGERS) {
  Deno.test(`a client of ${transport.type} hears ${name}`, async () => {
    using log = keepLog();
    await using stranger = tcpService(async (connection) => {
      await connection.read(new Uint8Array(4096));
      await writeAll(connection, bytesOf(answer));
      await connection.closeWrite();
      await closedByPeer(connection);
    });
    await failing(formatAddress(stranger.address), transport, says, log);
  });
}
