import { deepEqual, doesNotMatch, equal, match, notEqual, ok } from "node:assert/strict";
import { FakeIo } from "../../tests/support/fake_io.ts";
import { createAuthority } from "../certificates/authority.ts";
import { parseConfig } from "../config/parse.ts";
import { main } from "./main.ts";

const LEAVES = ["server.key", "server.pem", "server.p12", "client.key", "client.pem"];

function text(io: FakeIo, path: string): string {
  const content = io.files.get(path);
  return content instanceof Uint8Array ? new TextDecoder().decode(content) : "";
}

async function made(...args: string[]): Promise<FakeIo> {
  const io = new FakeIo();
  equal(await main(["gen-cert", ...args], io), 0, io.stderr.text);
  return io;
}

/** Runs it with what an earlier run has left. */
async function again(io: FakeIo, ...args: string[]): Promise<{ code: number; io: FakeIo }> {
  const next = new FakeIo();
  for (const [path, content] of io.files) next.files.set(path, content);
  return { code: await main(["gen-cert", ...args], next), io: next };
}

async function refused(io: FakeIo, ...args: string[]): Promise<string> {
  equal(await main(["gen-cert", ...args], io), 1);
  equal(io.stdout.text, "");
  equal(io.stderr.lines.length, 1);
  return io.stderr.text;
}

Deno.test("gen-cert - writes seven files, the secret ones for the owner only", async () => {
  const io = await made("tunnel.example.com", "--out", "certs/");
  deepEqual(io.directories, ["certs/"]);
  deepEqual(
    io.written.map(({ path, mode }) => `${path} ${mode.toString(8)}`).sort(),
    [
      ...["certs/ca.key 600", "certs/ca.pem 644", "certs/client.key 600", "certs/client.pem 644"],
      ...["certs/server.key 600", "certs/server.p12 600", "certs/server.pem 644"],
    ],
  );
  ok(io.written.every(({ replace }) => !replace));
  equal(io.stderr.text, "");
});

Deno.test("gen-cert - what it prints are configurations that load", async () => {
  const io = await made("tunnel.example.com", "10.0.0.1", "--out", ".");
  const printed = io.stdout.text;
  const blocks = [...printed.matchAll(/^\[(?:.|\n(?!\n#|\n[A-Z]))+/gm)].map(([block]) => block);
  const part = (side: string, n: number) =>
    blocks.filter((block) => block.includes(`[${side}.transport.tls]`))[n] ?? "";
  const server = (n: number) =>
    parseConfig(`[server]\nbind_addr = "a:1"\nservices = {}\n${part("server", n)}`);
  const pem = server(0);
  deepEqual(pem.warnings, []);
  deepEqual(pem.config.server?.transport.type, "tls");
  deepEqual(pem.config.server.transport.tls, {
    certificate: "server.pem",
    private_key: "server.key",
    client_ca: "ca.pem",
  });
  const pkcs12 = server(1).config.server?.transport.tls;
  equal(pkcs12?.pkcs12, "server.p12");
  match(pkcs12.pkcs12_password?.reveal() ?? "", /^[\w-]{24}$/);
  const client = parseConfig(
    `[client]\nremote_addr = "a:1"\nservices = {}\n${part("client", 0)}`,
  );
  deepEqual(client.warnings, []);
  deepEqual(client.config.client?.transport.tls, {
    trusted_root: "ca.pem",
    certificate: "client.pem",
    private_key: "client.key",
  });
  match(
    printed,
    /^Made a certificate authority, and by it .* tunnel\.example\.com and 10\.0\.0\.1:/,
  );
  doesNotMatch(printed, /PRIVATE KEY/);
});

Deno.test("gen-cert - the password is another one each time, and in no file", async () => {
  const [one, two] = [await made("a", "--out", "d"), await made("a", "--out", "d")];
  const password = (io: FakeIo) => /pkcs12_password = "(.*)"/.exec(io.stdout.text)?.[1] ?? "";
  notEqual(password(one), password(two));
  for (const path of one.files.keys()) ok(!text(one, path).includes(password(one)), path);
});

Deno.test("gen-cert - replaces nothing, unless forced; never the authority", async () => {
  const first = await made("a.example", "--out", "d");
  const second = await again(first, "a.example", "--out", "d");
  equal(second.code, 1);
  match(second.io.stderr.text, /^rathole: 'd' has server\.pem, .* already; add --force to replace/);
  deepEqual(second.io.written, []);

  const third = await again(first, "b.example", "--out", "d", "--force");
  equal(third.code, 0, third.io.stderr.text);
  deepEqual(third.io.written.map(({ path }) => path), LEAVES.map((name) => `d/${name}`));
  ok(third.io.written.every(({ replace }) => replace));
  match(
    third.io.stdout.text,
    /^Made certificates for b\.example, by the authority that was there:/,
  );

  const fresh = await made("a.example", "--out", "e", "--force");
  deepEqual(fresh.written.filter(({ replace }) => !replace).map(({ path }) => path), [
    "e/ca.key",
    "e/ca.pem",
  ]);

  for (const name of LEAVES) first.files.delete(`d/${name}`);
  const fourth = await again(first, "a.example", "--out", "d");
  equal(fourth.code, 0, fourth.io.stderr.text);
  deepEqual(fourth.io.written.map(({ path }) => path), LEAVES.map((name) => `d/${name}`));
});

Deno.test("gen-cert - an authority that cannot be used", async () => {
  const io = await made("a.example", "--out", "d");
  const other = await createAuthority();
  const old = await createAuthority({
    notBefore: new Date("2001-01-01"),
    notAfter: new Date("2002-02-02"),
  });
  const leaf = text(io, "d/server.pem");
  const cases: [files: [string, string | undefined][], message: RegExp][] = [
    [[["ca.key", undefined]], /'d\/ca\.pem' is there, but not 'd\/ca\.key'; put it back/],
    [[["ca.pem", undefined]], /'d\/ca\.key' is there, but not 'd\/ca\.pem'; put it back/],
    [[["ca.pem", "nonsense"]], /the certificate is not in PEM form; move both away/],
    [[["ca.key", "nonsense"]], /the key is not in PEM form, unencrypted \(PKCS#8\)/],
    [[["ca.key", other.privateKeyPem.reveal()]], /the key is not that of the certificate/],
    [
      [["ca.pem", leaf], ["ca.key", text(io, "d/server.key")]],
      /the certificate is not an authority's/,
    ],
    [
      [["ca.pem", old.certificatePem], ["ca.key", old.privateKeyPem.reveal()]],
      /the authority in 'd\/ca\.pem' ended on 2002-02-02; move it and its key away/,
    ],
  ];
  for (const [files, message] of cases) {
    const changed = new FakeIo();
    for (const [path, content] of io.files) changed.files.set(path, content);
    for (const [name, content] of files) {
      if (content === undefined) changed.files.delete(`d/${name}`);
      else changed.files.set(`d/${name}`, content);
    }
    match(await refused(changed, "a.example", "--out", "d", "--force"), message);
    deepEqual(changed.written, []);
  }
});

Deno.test("gen-cert - a host that is given twice stands there once", async () => {
  const io = await made("a.example", "A.example", "[::1]", "::1", "--out", "d");
  match(io.stdout.text, /^Made .* certificates for a\.example and ::1:\n/);
});

Deno.test("gen-cert - hosts that are none are refused before anything is written", async () => {
  for (
    const [host, message] of [
      ["https://a.example/", /the host 'https:\/\/a\.example\/' is a URL; write its host only/],
      ["a.example:2333", /has a port; write the host only/],
      ["300.1.1.1", /is no valid IP address/],
      ["a b", /is no host name/],
    ] as const
  ) {
    const io = new FakeIo();
    match(await refused(io, host, "--out", "d"), message);
    deepEqual([...io.files], []);
  }
});

Deno.test("gen-cert - what the system or the sandbox does not allow", async () => {
  const denied = new FakeIo();
  denied.files.set("d/ca.pem", new Deno.errors.NotCapable("no"));
  equal(
    await refused(denied, "a", "--out", "d"),
    "rathole: cannot read 'd/ca.pem': the Deno sandbox does not allow it; run with deno run " +
      "--allow-read=d --allow-write=d mod.ts gen-cert …, since an installed command keeps the " +
      "permissions that it was installed with\n",
  );
  const directory = new FakeIo();
  directory.writeFailures.set("d", new Deno.errors.NotCapable("no"));
  match(
    await refused(directory, "a", "--out", "d"),
    /cannot make 'd': .*--allow-write=d mod\.ts gen-cert …/,
  );
  for (
    const [error, message] of [
      [new Deno.errors.PermissionDenied("x"), /the operating system does not allow it; check its/],
      [new Deno.errors.AlreadyExists("x"), /it is there already/],
      [new Error("no space left on device"), /no space left on device/],
    ] as const
  ) {
    const io = new FakeIo();
    io.writeFailures.set("d/server.key", error);
    const line = await refused(io, "a", "--out", "d");
    match(line, /^rathole: cannot write 'd\/server\.key': /);
    match(line, message);
  }
});

Deno.test("gen-cert - a path is written as TOML and as terminals may show it", async () => {
  const io = await made("a", "--out", 'C:\\my "certs"\u202e\\');
  ok(!io.stdout.text.includes("\u202e"));
  const path = /^trusted_root = (".*")$/m.exec(io.stdout.text)?.[1] ?? "";
  const { config } = parseConfig(
    `[client]\nremote_addr = "a:1"\nservices = {}\ntransport = { tls = { trusted_root = ${path} } }`,
  );
  equal(config.client?.transport.tls?.trusted_root, 'C:\\my "certs"\u202e\\ca.pem');
});
