/**
 * No secret stands in what either program prints, however much it logs: not when all is well, and
 * not when something is wrong with that very secret.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { createAuthority } from "../src/certificates/authority.ts";
import { generateKeyPair } from "../src/cli/genkey.ts";
import { Secret } from "../src/runtime/secret.ts";
import { type Child, startProgram } from "./support/child.ts";
import { fakeProxy } from "./support/secrets_proxy.ts";
import { freePort } from "./support/ports.ts";

const TOKEN = "hunter2-the-token";
const OTHER = "hunter2-another-token";
const PASSWORD = "hunter2@the:password";
const HEADER = "hunter2-the-header";
const folder = await Deno.makeTempDir({ prefix: "rathole-secrets-" });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

const authority = await createAuthority();
const own = await authority.issue({ usage: "server", hosts: ["127.0.0.1"] });
await Deno.writeTextFile(`${folder}/ca.pem`, authority.certificatePem);
await Deno.writeTextFile(`${folder}/own.pem`, own.certificatePem);
await Deno.writeTextFile(`${folder}/own.key`, own.privateKeyPem.reveal());
await Deno.writeFile(`${folder}/own.p12`, await own.pkcs12(new Secret(PASSWORD)));
const [mine, theirs] = [await generateKeyPair("x25519"), await generateKeyPair("x25519")];
const [mineText, theirsText] = [mine.privateKey.toBase64(), theirs.privateKey.toBase64()];

/** All that must not be seen, in each form in which somebody could know it again. */
const SECRETS = [
  ...[TOKEN, OTHER, PASSWORD, encodeURIComponent(PASSWORD), HEADER, mineText, theirsText],
  ...[btoa(`me:${PASSWORD}`), ...own.privateKeyPem.reveal().split("\n").slice(1, 3)],
];

interface Case {
  readonly name: string;
  readonly server: string;
  readonly client: string;
  readonly token?: string;
  /** What is waited for: the programs have said all that there is to say by then. */
  readonly says: RegExp;
}

const noise = (side: string, lines: string) =>
  `[${side}.transport]\ntype = "noise"\n[${side}.transport.noise]\n${lines}\n`;
const tls = (side: string, lines: string) =>
  `[${side}.transport]\ntype = "tls"\n[${side}.transport.tls]\n${lines}\n`;
const ws = (side: string, lines: string) =>
  `[${side}.transport]\ntype = "websocket"\n[${side}.transport.websocket]\ntls = false\n${lines}\n`;
const WELL = /Control channel established/;
const REFUSED = /Cannot establish control channel/;
const pkcs12 = tls("server", `pkcs12 = "${folder}/own.p12"\npkcs12_password = "${PASSWORD}"`);
const trusting = tls("client", `trusted_root = "${folder}/ca.pem"`);
const ourKey = noise("server", `local_private_key = "${mineText}"`);

const CASES: readonly Case[] = [
  { name: "tcp", server: "", client: "", says: WELL },
  { name: "a wrong token", server: "", client: "", token: OTHER, says: REFUSED },
  {
    name: "noise",
    server: ourKey,
    client: noise("client", `remote_public_key = "${mine.publicKey.toBase64()}"`),
    says: WELL,
  },
  {
    name: "a wrong noise key",
    server: ourKey,
    client: noise(
      "client",
      `local_private_key = "${theirsText}"\n` +
        `remote_public_key = "${theirs.publicKey.toBase64()}"`,
    ),
    says: REFUSED,
  },
  { name: "tls", server: pkcs12, client: trusting, says: WELL },
  {
    name: "a certificate that is not trusted",
    server: tls(
      "server",
      `certificate = "${folder}/own.pem"\nprivate_key = "${folder}/own.key"`,
    ),
    client: tls("client", ""),
    says: REFUSED,
  },
  {
    name: "websocket with a header",
    server: ws("server", ""),
    client: ws("client", `headers = { X-Key = "${HEADER}" }`),
    says: WELL,
  },
  {
    name: "a websocket path that is not there",
    server: ws("server", 'path = "/a"'),
    client: ws("client", `path = "/b"\nheaders = { X-Key = "${HEADER}" }`),
    says: REFUSED,
  },
];

for (const { name, server, client, token = TOKEN, says } of CASES) {
  Deno.test(`no secret is printed: ${name}`, async () => {
    const port = freePort();
    await using one = await start(
      `[server]\nbind_addr = "127.0.0.1:${port}"\ndefault_token = "${TOKEN}"\n${server}` +
        `[server.services.it]\nbind_addr = "127.0.0.1:0"\n`,
    );
    await one.until(/Listening/);
    await using other = await start(clientConfig(port, token, client));
    await other.until(says);
    assertNothing(one, other);
  });
}

for (const scheme of ["http", "socks5"] as const) {
  Deno.test(`no secret is printed: a ${scheme} proxy that refuses the password`, async () => {
    await using proxy = fakeProxy(scheme);
    const url = `${scheme}://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}`;
    const lines = `[client.transport.tcp]\nproxy = "${url}"\n`;
    await using client = await start(clientConfig(1, TOKEN, lines));
    await client.until(REFUSED);
    assertNothing(client);
  });
}

Deno.test("no secret is printed: a configuration that cannot be used", async () => {
  const broken = [
    tls("server", `pkcs12 = "${folder}/own.p12"\npkcs12_password = "${OTHER}"`),
    noise("server", `local_private_key = "${mineText.slice(0, -4)}"`),
    `[server.transport.tcp]\nproxy = "socks5//me:${PASSWORD}@127.0.0.1"\n`,
    ws("server", `headers = { "X Key" = "${HEADER}" }`),
    `token = "${TOKEN}"\n`,
  ];
  for (const lines of broken) {
    await using program = await start(
      `[server]\nbind_addr = "127.0.0.1:0"\ndefault_token = "${TOKEN}"\n${lines}` +
        `[server.services.it]\nbind_addr = "127.0.0.1:0"\n`,
    );
    await Promise.race([program.ended(), program.until(/Listening/).catch(() => {})]);
    assertNothing(program);
  }
});

function clientConfig(port: number, token: string, lines: string): string {
  return `[client]\nremote_addr = "127.0.0.1:${port}"\ndefault_token = "${token}"\n${lines}` +
    `[client.services.it]\nlocal_addr = "127.0.0.1:9"\n`;
}

function start(config: string): Promise<Child> {
  return startProgram({
    config,
    log: "trace",
    allow: ["--allow-net=127.0.0.1", `--allow-read=${folder}`],
  });
}

function assertNothing(...programs: readonly Child[]): void {
  for (const { text } of programs) {
    ok(text.length > 0, "it printed something");
    for (const secret of SECRETS) ok(!text.includes(secret), `${secret} in:\n${text}`);
  }
}
