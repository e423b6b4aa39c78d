/**
 * Nothing secret is printed: by no end, over no transport, at no level, whatever goes wrong.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { equal, match, ok } from "node:assert/strict";
import type { Address } from "../mod.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { Certificates } from "./support/certificates.ts";
import { type Child, startProgram } from "./support/child.ts";
import { accepting } from "./support/doors.ts";
import {
  ask,
  bytesOf,
  copy,
  echoService,
  tcpService,
  textOf,
  writeAll,
} from "./support/local_services.ts";
import { keysOf } from "./support/noise_pair.ts";
import { freePort } from "./support/ports.ts";

const OPTIONS = { timeout: 60_000 };
const NK = "Noise_NK_25519_ChaChaPoly_BLAKE2s";
const XX = "Noise_XX_25519_ChaChaPoly_BLAKE2s";

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const own = await made.signed(ca);
const mine = await made.signed(ca, { usage: "client" });
const [server, client, stranger] = await Promise.all([1, 2, 3].map((seed) => keysOf(NK, seed)));
ok(server && client && stranger);

const TOKEN = "tok-8Vd2Qm";
const SERVICE_TOKEN = "tok-9Xe3Rn";
const WRONG_TOKEN = "tok-0Yf4So";
const PKCS12_PASSWORD = "p12-5Kz7Lw";
const WRONG_PASSWORD = "p12-6La8Mx";
const HEADER = "Bearer hdr-3Hj9Fc";
const PROXY_USER = "somebody";
const PROXY_PASSWORD = "prx/7Gt4@Bs";
const PROXY_ENCODED = encodeURIComponent(PROXY_PASSWORD);
const pkcs12 = await made.pkcs12(own, PKCS12_PASSWORD);

/** What must not be seen, by what it is; of a noise key not even a part. */
const SECRETS: readonly (readonly [what: string, text: string])[] = [
  ["the token", TOKEN],
  ["the service's token", SERVICE_TOKEN],
  ["the wrong token", WRONG_TOKEN],
  ["the password of the PKCS#12 file", PKCS12_PASSWORD],
  ["the wrong password of the PKCS#12 file", WRONG_PASSWORD],
  ["the header", HEADER],
  ["the header's last word", HEADER.split(" ")[1] ?? HEADER],
  ["the proxy's password", PROXY_PASSWORD],
  ["the proxy's password, encoded", PROXY_ENCODED],
  ["the proxy's credentials", btoa(`${PROXY_USER}:${PROXY_PASSWORD}`)],
  ["the server's noise key", server.privateKey.slice(0, 24)],
  ["the client's noise key", client.privateKey.slice(0, 24)],
  ["the stranger's noise key", stranger.privateKey.slice(0, 24)],
  ...await Promise.all([own, mine].map(async ({ private_key }) => {
    const [, line = ""] = (await Deno.readTextFile(private_key)).split("\n");
    return ["a key in PEM", line] as const;
  })),
];

/** Fails if anything secret was printed; shows where, and not the secret. */
function silent(...children: readonly Child[]): void {
  for (const { text } of children) {
    for (const [what, secret] of SECRETS) {
      ok(secret.length >= 8);
      const line = text.split("\n").find((line) => line.includes(secret));
      ok(line === undefined, `${what} is in: ${line?.replaceAll(secret, "[…]")}`);
    }
  }
}

const READ = [`--allow-read=${made.folder}`];

function run(config: string, args: readonly string[] = []): Promise<Child> {
  return startProgram({ config, args, allow: ["--allow-net", ...READ], log: "trace" });
}

/** The `[SIDE.transport]` of a configuration. */
type Transport = string;

function serverConfig(port: number, door: number, transport: Transport): string {
  return `[server]\nbind_addr = "127.0.0.1:${port}"\ndefault_token = "${TOKEN}"\n${transport}\n` +
    `[server.services.it]\nbind_addr = "127.0.0.1:${door}"\ntoken = "${SERVICE_TOKEN}"\n`;
}

function clientConfig(
  to: Address,
  local: Address,
  transport: Transport,
  token = SERVICE_TOKEN,
): string {
  return `[client]\nremote_addr = "${formatAddress(to)}"\ndefault_token = "${TOKEN}"\n` +
    `${transport}\n[client.services.it]\nlocal_addr = "${formatAddress(local)}"\n` +
    `token = "${token}"\nretry_interval = 1\n`;
}

const TLS_CLIENT = `[client.transport]\ntype = "tls"\n[client.transport.tls]\n` +
  `trusted_root = "${ca.certificate}"\nhostname = "localhost"\n`;
const PKCS12_SERVER = (password = PKCS12_PASSWORD) =>
  `[server.transport]\ntype = "tls"\n[server.transport.tls]\npkcs12 = "${pkcs12}"\n` +
  `pkcs12_password = "${password}"\n`;
const PEM = ({ certificate, private_key } = own) =>
  `certificate = "${certificate}"\nprivate_key = "${private_key}"\n`;

function noise(side: "server" | "client", pattern: string, own: string, other = ""): Transport {
  return `[${side}.transport]\ntype = "noise"\n[${side}.transport.noise]\n` +
    `pattern = "${pattern}"\n` +
    (own === "" ? "" : `local_private_key = "${own}"\n`) +
    (other === "" ? "" : `remote_public_key = "${other}"\n`);
}

function websocket(side: "server" | "client", more = ""): Transport {
  return `[${side}.transport]\ntype = "websocket"\n[${side}.transport.websocket]\ntls = false\n` +
    more;
}

/** WebSocket over TLS. */
function secure(side: "server" | "client", tls: string, more = ""): Transport {
  const own = tls.replace(/^.*\ntype = "tls"\n/, "");
  return `[${side}.transport]\ntype = "websocket"\n${own}` +
    `[${side}.transport.websocket]\ntls = true\n${more}`;
}

const HEADERS = `headers = { Authorization = "${HEADER}" }\n`;

/** A proxy's URL in a client's transport. */
function through(scheme: string, { port }: Address): Transport {
  return `[client.transport.tcp]\n` +
    `proxy = "${scheme}://${PROXY_USER}:${PROXY_ENCODED}@127.0.0.1:${port}"\n`;
}

const FORMATS = ["text", "json"] as const;

/** Transports of both ends that fit. */
const WORKING: readonly (readonly [name: string, server: Transport, client: Transport])[] = [
  ["tcp", "", ""],
  ["tls with PKCS#12", PKCS12_SERVER(), TLS_CLIENT],
  [
    "tls with PEM at both ends",
    `[server.transport]\ntype = "tls"\n[server.transport.tls]\n${PEM()}` +
    `client_ca = "${ca.certificate}"\n`,
    TLS_CLIENT + PEM(mine),
  ],
  ["noise NK", noise("server", NK, server.privateKey), noise("client", NK, "", server.publicKey)],
  [
    "noise XX",
    noise("server", XX, server.privateKey, client.publicKey),
    noise("client", XX, client.privateKey, server.publicKey),
  ],
  ["websocket", websocket("server"), websocket("client", HEADERS)],
  ["websocket over tls", secure("server", PKCS12_SERVER()), secure("client", TLS_CLIENT, HEADERS)],
];

const CASES = WORKING.flatMap((row) => FORMATS.map((format) => [...row, format] as const));

for (const [name, atServer, atClient, format] of CASES) {
  Deno.test(`no secret is printed as ${format}: ${name} works`, OPTIONS, async () => {
    await using local = echoService();
    const [port, door] = [freePort(), { hostname: "127.0.0.1", port: freePort() }];
    const as = ["--log-format", format];
    await using server = await run(serverConfig(port, door.port, atServer), as);
    await server.until(/Listening/);
    const to = { hostname: "127.0.0.1", port };
    await using client = await run(clientConfig(to, local.address, atClient), as);
    await accepting(door);
    equal(textOf(await ask(door, bytesOf("hello"))), "hello");
    for (const child of [client, server]) {
      child.kill("SIGTERM");
      await child.ended();
      // Proves that everything was told.
      match(child.text, /DEBUG|TRACE/i);
    }
    silent(server, client);
  });
}

/** A program that fails to start, or ends otherwise, with a reason. */
async function ends(config: string, says: RegExp): Promise<void> {
  await using child = await run(config);
  equal((await child.ended()).code, 1, child.text);
  match(child.text, says);
  silent(child);
}

/** A client that cannot reach its server, twice, and a server that may not be there. */
async function fails(transport: Transport, says: RegExp, to: Address, server?: Child, token = "") {
  const config = clientConfig(to, to, transport, token === "" ? SERVICE_TOKEN : token);
  await using client = await run(config);
  const failure = /Cannot establish control channel.*/;
  const [first] = await client.until(failure);
  match(first, says);
  await client.until(failure, client.text.indexOf(first) + first.length);
  client.kill("SIGTERM");
  await client.ended();
  if (server === undefined) return silent(client);
  await server.until(/Handshake failed/);
  server.kill("SIGTERM");
  await server.ended();
  silent(client, server);
}

/** Transports of both ends that do not fit. */
const REFUSED: readonly (readonly [
  name: string,
  server: Transport,
  client: Transport,
  says: RegExp,
  token?: string,
])[] = [
  ["a wrong token", "", "", /refused the token/, WRONG_TOKEN],
  [
    "a wrong noise key",
    noise("server", NK, server.privateKey),
    noise("client", NK, "", stranger.publicKey),
    /another key/,
  ],
  [
    "a noise key that is not pinned",
    noise("server", XX, server.privateKey, client.publicKey),
    noise("client", XX, stranger.privateKey, server.publicKey),
    /key/,
  ],
  [
    "a wrong WebSocket path",
    websocket("server", 'path = "/tunnel"\n'),
    websocket("client", HEADERS),
    /status 404/,
  ],
  [
    "no client certificate",
    `${PKCS12_SERVER()}client_ca = "${ca.certificate}"\n`,
    TLS_CLIENT,
    /client certificate/,
  ],
];

for (const [name, atServer, atClient, says, token] of REFUSED) {
  Deno.test(`no secret is printed: ${name}`, OPTIONS, async () => {
    const port = freePort();
    await using server = await run(serverConfig(port, freePort(), atServer));
    await server.until(/Listening/);
    await fails(atClient, says, { hostname: "127.0.0.1", port }, server, token);
  });
}

/** What somebody at the other end answers who repeats all that he is told. */
Deno.test("no secret is printed: a stranger, or a proxy, repeats what it was sent", {
  ...OPTIONS,
}, async () => {
  await using parrot = tcpService((connection) => copy(connection, connection));
  const { address } = parrot;
  await fails("", /./, address);
  await fails(websocket("client", HEADERS), /WebSocket was refused/, address);
  await fails(noise("client", XX, client.privateKey), /noise/, address);
  await fails(TLS_CLIENT + PEM(mine), /TLS/, address);
  for (const scheme of ["http", "socks5"]) {
    await fails(through(scheme, address), /the proxy/, { hostname: "127.0.0.1", port: 9 });
  }
});

Deno.test("no secret is printed: proxies that refuse, or are not there", OPTIONS, async () => {
  const to = { hostname: "127.0.0.1", port: 9 };
  await using http = tcpService(async (connection) => {
    await connection.read(new Uint8Array(4096));
    const answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
    await writeAll(connection, bytesOf(answer));
  });
  await fails(through("http", http.address), /refused the user name or password/, to);
  await using socks = tcpService(async (connection) => {
    await connection.read(new Uint8Array(4096));
    await writeAll(connection, Uint8Array.of(5, 2));
    await connection.read(new Uint8Array(4096));
    await writeAll(connection, Uint8Array.of(1, 1));
  });
  await fails(through("socks5", socks.address), /refused the user name or password/, to);
  for (const scheme of ["http", "socks5"]) {
    const nobody = { hostname: "127.0.0.1", port: freePort() };
    await fails(through(scheme, nobody), /cannot reach the proxy/, to);
  }
});

/** Configurations that are wrong right where a secret is; the message must do without it. */
Deno.test("no secret is printed: configurations that cannot be used", OPTIONS, async (t) => {
  const at = { hostname: "127.0.0.1", port: 9 };
  const key = server.privateKey;
  const cases: readonly (readonly [name: string, config: string, says: RegExp])[] = [
    ["a wrong password of PKCS#12", serverConfig(0, 0, PKCS12_SERVER(WRONG_PASSWORD)), /password/],
    [
      "a key file in place of the certificate",
      serverConfig(
        0,
        0,
        `[server.transport]\ntype = "tls"\n[server.transport.tls]\n${
          PEM({ certificate: own.private_key, private_key: own.private_key })
        }`,
      ),
      /no certificate in PEM/,
    ],
    [
      "another certificate's key",
      serverConfig(
        0,
        0,
        `[server.transport]\ntype = "tls"\n[server.transport.tls]\n${
          PEM({ certificate: own.certificate, private_key: mine.private_key })
        }`,
      ),
      /does not belong/,
    ],
    ["a string that does not end", `[client]\ndefault_token = "${TOKEN}\n`, /:2:/],
    ["two values in a line", `[client]\ndefault_token = "${TOKEN}" "${WRONG_TOKEN}"\n`, /:2:/],
    ["a token without quotes", `[client]\ndefault_token = ${TOKEN}\n`, /:2:/],
    ["a token twice", `[client]\ndefault_token = "${TOKEN}"\ndefault_token = "${TOKEN}"\n`, /:3:/],
    ["a list of tokens", `[client]\ndefault_token = ["${TOKEN}"]\n`, /default_token/],
    [
      "a token under another key",
      clientConfig(at, at, "").replace("default_token", "defualt_token"),
      /defualt_token/,
    ],
    ["a noise key that is too short", clientNoise(key.slice(0, 40)), /local_private_key/],
    ["a noise key that is not base64", clientNoise(`${key.slice(0, 40)}!!!!`), /local_private_key/],
    ["a noise key twice as long", clientNoise(key.slice(0, 40) + key), /local_private_key/],
    [
      "a header that HTTP cannot carry",
      clientConfig(at, at, websocket("client", `headers = { A = "${HEADER}\\n" }\n`)),
      /header/,
    ],
    [
      "a header's name that HTTP cannot carry",
      clientConfig(at, at, websocket("client", `headers = { "A B" = "${HEADER}" }\n`)),
      /header/,
    ],
    [
      "a proxy of an unknown kind",
      clientConfig(at, at, through("ftp", at)),
      /proxy/,
    ],
    [
      "a proxy with a password that is not encoded",
      clientConfig(at, at, through("http", at).replace(PROXY_ENCODED, PROXY_PASSWORD)),
      /proxy/,
    ],
  ];
  for (const [name, config, says] of cases) await t.step(name, () => ends(config, says));

  function clientNoise(local: string): string {
    return clientConfig(at, at, noise("client", XX, local));
  }
});
