import assert from "node:assert/strict";
import type { Connection } from "../src/net/connection.ts";
import { RatholeError } from "../src/runtime/errors.ts";
import { Secret } from "../src/runtime/secret.ts";
import type { Incoming, Transport } from "../src/transport/transport.ts";
import { Certificates, type Pem } from "./support/certificates.ts";
import { pattern, readAll } from "./support/connection_contract.ts";
import { mustOpenssl, withOpenssl } from "./support/openssl.ts";
import { soon } from "./support/patience.ts";
import { ANYWHERE } from "./support/tcp_pair.ts";
import { tlsClient, tlsPair, tlsServer } from "./support/tls_pair.ts";

const { ignore, title } = withOpenssl;
const forever = new AbortController().signal;

/** What is made once: making keys takes most of a test's time. */
const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const other = await made.ca("other");
const own = await made.signed(ca);
const mine = await made.signed(ca, { usage: "client" });

/** What both ends of one attempt come to. */
interface Outcome {
  readonly client: Connection | RatholeError;
  readonly server: Connection | RatholeError;
}

/** One attempt; what it made is ended afterwards. */
async function attempt(
  server: Transport,
  client: Transport,
  judge: (outcome: Outcome) => Promise<void> | void,
  hostname = "127.0.0.1",
): Promise<void> {
  using listener = server.bind(ANYWHERE);
  const to = { hostname, port: listener.address.port };
  let incoming: Incoming | undefined;
  const settle = (promise: Promise<Connection>) =>
    promise.catch((error: unknown) => {
      assert.ok(error instanceof RatholeError, `${error}`);
      return error;
    });
  const [at, from] = await soon(
    "both ends",
    Promise.all([
      settle(client.connect(to, { signal: forever })),
      settle(listener.accept().then((it) => (incoming = it).handshake())),
    ]),
  );
  try {
    await judge({ client: at, server: from });
  } finally {
    if (!(at instanceof RatholeError)) at.abort();
    incoming?.abort();
    await settled();
  }
}

/** Descriptors are closed a turn after an abort. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function works({ client, server }: Outcome): Promise<void> {
  if (client instanceof RatholeError) throw client;
  if (server instanceof RatholeError) throw server;
  await client.write(pattern(1000));
  await client.closeWrite();
  assert.deepEqual(await readAll(server), pattern(1000));
  await server.write(pattern(2000));
  await server.closeWrite();
  assert.deepEqual(await readAll(client), pattern(2000));
}

function refused(end: Connection | RatholeError, code: string, message: RegExp): void {
  assert.ok(end instanceof RatholeError, "was let in");
  assert.equal(end.code, code, end.message);
  assert.match(end.message, message);
}

const trusting = { trusted_root: ca.certificate };

Deno.test("PKCS#12 as gen-cert makes it, with and without a password", async () => {
  for (const password of ["1234", ""]) {
    const pkcs12 = await made.pkcs12(own, password);
    const server = await tlsServer({ pkcs12, pkcs12_password: password });
    await attempt(server, await tlsClient(trusting), works);
  }
});

Deno.test(`PKCS#12 of both families, with chain, with and without a password${title}`, {
  ignore,
}, async () => {
  await using certificates = await Certificates.make();
  const intermediate = await certificates.intermediate("intermediate", ca);
  const leaf = await certificates.signed(intermediate);
  for (const legacy of [false, true]) {
    for (const password of ["1234", ""]) {
      const chain = intermediate.certificate;
      const pkcs12 = await certificates.pkcs12ByOpenssl(leaf, password, { legacy, chain });
      const server = await tlsServer({ pkcs12, pkcs12_password: password });
      await attempt(server, await tlsClient(trusting), works);
    }
  }
});

const HOSTS = ["localhost", "tunnel.example", "127.0.0.1", "::1"];

Deno.test(`PEM with a chain${title}`, { ignore }, async () => {
  await using certificates = await Certificates.make();
  const intermediate = await certificates.intermediate("intermediate", ca);
  const leaf = await certificates.signed(intermediate);
  const certificate = await certificates.joined(leaf.certificate, intermediate.certificate);
  const server = await tlsServer({ certificate, private_key: leaf.private_key });
  await attempt(server, await tlsClient(trusting), works);
  await attempt(server, await tlsClient({ ...trusting, ...mine }), works);
});

Deno.test("trusted_root with several certificates; names and IPs", async () => {
  await using certificates = await Certificates.make();
  const server = await tlsServer({ ...await certificates.signed(ca, { hosts: HOSTS }) });
  const trusted_root = await certificates.joined(other.certificate, ca.certificate);
  for (const hostname of [undefined, ...HOSTS]) {
    const client = await tlsClient({ trusted_root, ...(hostname && { hostname }) });
    await attempt(server, client, works);
    if (hostname === undefined) await attempt(server, client, works, "localhost");
    // The same, where a certificate is shown.
    const showing = await tlsClient({ trusted_root, ...(hostname && { hostname }), ...mine });
    await attempt(server, showing, works);
  }
});

Deno.test("what cannot be used is refused at the start, with the file and what to do", async () => {
  await using certificates = await Certificates.make();
  const pkcs12 = await made.pkcs12(own, "right");
  const garbage = await certificates.file("garbage\n");
  const cut = (await Deno.readTextFile(own.certificate)).replace(
    /\n[^\n]+\n-----END/,
    "\n-----END",
  );
  const damaged = await certificates.file(cut);
  const missing = certificates.path("none.pem");
  const { certificate, private_key } = own;
  const servers: [Parameters<typeof tlsServer>[0], RegExp][] = [
    [
      { pkcs12, pkcs12_password: "wrong" },
      /cannot open ".+p12": pkcs12_password is not the file's/,
    ],
    [{ pkcs12, pkcs12_password: new Secret("") }, /pkcs12_password is missing or empty/],
    [{ pkcs12: missing, pkcs12_password: "x" }, /cannot read ".+none\.pem": there is no such file/],
    [{ pkcs12: certificates.folder, pkcs12_password: "x" }, /is a directory/],
    [{ pkcs12: garbage, pkcs12_password: "x" }, /is not a PKCS#12 file/],
    [{ certificate: garbage, private_key }, /has no certificate in PEM/],
    [{ certificate: damaged, private_key }, /certificate 1 in ".+" is damaged/],
    [{ certificate, private_key: garbage }, /has no usable private key/],
    [{ certificate, private_key: mine.private_key }, /does not belong to the certificate/],
    [{ certificate, private_key, client_ca: garbage }, /has no certificate in PEM/],
  ];
  for (const [tls, message] of servers) {
    await assert.rejects(tlsServer(tls), { name: "RatholeError", code: "config", message });
  }
  for (const trusted_root of [garbage, missing, damaged]) {
    await assert.rejects(tlsClient({ trusted_root }), { code: "config" });
  }
  await assert.rejects(
    tlsClient({ ...trusting, certificate: mine.certificate, private_key }),
    { code: "config", message: /does not belong/ },
  );
});

Deno.test(`keys that are encrypted, or of a kind that TLS does not take${title}`, {
  ignore,
}, async () => {
  await using certificates = await Certificates.make();
  const path = (name: string) => certificates.path(name);
  const { certificate } = own;
  const encrypted = path("encrypted.key");
  await mustOpenssl(
    ...["pkey", "-in", own.private_key, "-aes256", "-passout", "pass:x", "-out", encrypted],
  );
  const curious = { certificate: path("ed448.pem"), private_key: path("ed448.key") };
  await mustOpenssl(
    ...["req", "-x509", "-newkey", "ed448", "-noenc", "-subj", "/CN=localhost"],
    ...["-keyout", curious.private_key, "-out", curious.certificate],
  );
  await assert.rejects(tlsServer({ certificate, private_key: encrypted }), {
    code: "config",
    message: /is encrypted; decrypt it: openssl pkey/,
  });
  await assert.rejects(tlsServer(curious), {
    code: "config",
    message: /TLS cannot use the key in ".+ed448\.key"/,
  });
});

Deno.test("a file that the sandbox does not show is `permission`, with the flag", {
  permissions: { read: false },
}, async () => {
  const message = /add --allow-read=.+\.pem/;
  await assert.rejects(tlsClient(trusting), { code: "permission", message });
  await assert.rejects(tlsServer({ ...own }), { code: "permission", message });
});

Deno.test("a certificate that is not the right one: the reason at both ends", async (t) => {
  const cases: [string, Pem, Parameters<typeof tlsClient>[0], RegExp, RegExp][] = [
    ["another CA", own, { trusted_root: other.certificate }, /trusted_root/, /does not trust/],
    ["no CA", own, {}, /trusted_root/, /does not trust/],
    [
      "another name",
      own,
      { ...trusting, hostname: "wrong.example" },
      /not for the name "wrong\.example"/,
      /refuses this server's certificate/,
    ],
    ["expired", await made.signed(ca, { from: -9, until: -2 }), trusting, /has expired/, /expired/],
    [
      "not yet valid",
      await made.signed(ca, { from: 2, until: 9 }),
      trusting,
      /not valid yet/,
      /expired or not valid/,
    ],
  ];
  for (const [name, pem, tls, atClient, atServer] of cases) {
    await t.step(name, async () => {
      const server = await tlsServer({ ...pem });
      await attempt(server, await tlsClient(tls), (outcome) => {
        refused(outcome.client, "untrusted", atClient);
        refused(outcome.server, "untrusted", atServer);
      });
      // And where the client shows a certificate: that engine looks at the name when the server
      // has already let it in.
      await attempt(server, await tlsClient({ ...tls, ...mine }), (outcome) => {
        const { client } = outcome;
        refused(client, "untrusted", /expired|valid/.test(name) ? /has expired/ : atClient);
      });
    });
  }
});

Deno.test("client certificates: the right one is let in, others hear why not", async (t) => {
  const server = await tlsServer({ ...own, client_ca: ca.certificate });
  await t.step("right", async () => {
    await attempt(server, await tlsClient({ ...trusting, ...mine }), works);
  });
  await t.step("none", async () => {
    await attempt(server, await tlsClient(trusting), async ({ client, server }) => {
      refused(server, "untrusted", /showed no certificate/);
      // TLS 1.3 tells the client only after its handshake.
      const end = client instanceof RatholeError ? client : await client.read().catch((e) => e);
      refused(end, "untrusted", /wants a client certificate/);
    });
  });
  for (
    const [name, pem, atServer] of [
      [
        "another CA's",
        await made.signed(other, { usage: "client" }),
        /not signed by client_ca/,
      ],
      [
        "expired",
        await made.signed(ca, { usage: "client", from: -9, until: -2 }),
        /has expired/,
      ],
    ] as const
  ) {
    await t.step(name, async () => {
      const showing = await tlsClient({ ...trusting, ...pem });
      await attempt(server, showing, async ({ client, server }) => {
        refused(server, "untrusted", atServer);
        const end = client instanceof RatholeError ? client : await client.read().catch((e) => e);
        refused(end, "closed", /refuses the client's certificate/);
      });
    });
  }
});

Deno.test(`TLS 1.3 between two of ours, 1.2 for who has no more, nothing below${title}`, {
  ignore,
}, async () => {
  const server = await tlsServer({ ...own });
  for (
    const [flag, answer] of [["-tls1_2", /Protocol *: TLSv1\.2/], [
      "-tls1_3",
      /New, TLSv1\.3/,
    ]] as const
  ) {
    using listener = server.bind(ANYWHERE);
    const accepting = listener.accept().then((incoming) => incoming.handshake());
    const child = new Deno.Command("openssl", {
      args: [
        "s_client",
        flag,
        "-CAfile",
        ca.certificate,
        "-connect",
        `127.0.0.1:${listener.address.port}`,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const accepted = await accepting;
    assert.equal(await accepted.read(), null);
    accepted.abort();
    const { stdout } = await child.output();
    assert.match(new TextDecoder().decode(stdout), answer);
  }
  using listener = server.bind(ANYWHERE);
  const handshake = listener.accept().then((incoming) => incoming.handshake());
  const args = ["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
  const old = new Deno.Command("openssl", {
    args: [...args, "-connect", `127.0.0.1:${listener.address.port}`],
    stdin: "null",
  }).output();
  await assert.rejects(handshake, { code: "protocol", message: /share no TLS version/ });
  await old;
});

Deno.test("many connections at once, each its own", async () => {
  const server = await tlsServer({ ...own, client_ca: ca.certificate });
  const client = await tlsClient({ ...trusting, ...mine });
  const pairs = await Promise.all(Array.from({ length: 40 }, () => tlsPair(server, client)));
  await Promise.all(pairs.map(async ([a, b], i) => {
    await a.write(Uint8Array.of(i));
    assert.deepEqual(await b.read(), Uint8Array.of(i));
    a.abort();
    b.abort();
  }));
  await settled();
});
