/**
 * `rathole gen-cert` as a process, and what others make of its files: OpenSSL, the runtime's TLS,
 * and rathole 0.5.0 with the configuration that was printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import tls from "node:tls";
import { ROOT } from "./support/child.ts";
import { ask, bytesOf, echoService, textOf } from "./support/local_services.ts";
import { openssl, runOpenssl } from "./support/openssl.ts";
import { ignore, missing, startPair } from "./support/peer.ts";

const OPTIONS = { timeout: 60_000 };

interface Made extends AsyncDisposable {
  readonly directory: string;
  readonly printed: string;
  /** The block for one side, from its `[SIDE.transport]` to the next empty line but one. */
  block(begin: RegExp): string;
  readonly password: string;
  read(name: string): Promise<string>;
}

/** Runs the program with what its help says that it needs. */
async function genCert(directory: string, ...args: string[]): Promise<Deno.CommandOutput> {
  return await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt"],
      ...[`--allow-read=${directory}`, `--allow-write=${directory}`],
      ...["mod.ts", "gen-cert", ...args, "--out", directory],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
}

async function made(...args: string[]): Promise<Made> {
  const above = await Deno.makeTempDir();
  const directory = `${above}/certs`;
  const { code, stdout, stderr } = await genCert(directory, ...args);
  assert.equal(code, 0, textOf(stderr));
  const printed = textOf(stdout);
  return {
    directory,
    printed,
    block: (begin) => {
      const [, block] = new RegExp(`${begin.source}[^\n]*\n((?:\\[(?:.+\n)+\n?)+)`, "m")
        .exec(printed) ?? [];
      return block ?? assert.fail(`no block ${begin} in:\n${printed}`);
    },
    password: /pkcs12_password = "(.*)"/.exec(printed)?.[1] ?? "",
    read: (name) => Deno.readTextFile(`${directory}/${name}`),
    [Symbol.asyncDispose]: () => Deno.remove(above, { recursive: true }),
  };
}

Deno.test("files are private, are not replaced, and the authority stays", OPTIONS, async () => {
  await using certificates = await made("localhost");
  const { directory } = certificates;
  const modes: Record<string, number> = {};
  for await (const { name } of Deno.readDir(directory)) {
    modes[name] = (await Deno.stat(`${directory}/${name}`)).mode ?? 0;
  }
  const secret = ["ca.key", "client.key", "server.key", "server.p12"];
  const names = [...secret, "ca.pem", "client.pem", "server.pem"];
  assert.deepEqual(Object.keys(modes).sort(), names.sort());
  for (const name of secret) assert.equal((modes[name] ?? 0) & 0o777, 0o600, name);
  assert.equal(((await Deno.stat(directory)).mode ?? 0) & 0o777, 0o700);

  const before = await Promise.all(names.map(certificates.read));
  const refused = await genCert(directory, "localhost");
  assert.equal(refused.code, 1);
  assert.match(textOf(refused.stderr), /^rathole: '.*' has server\.pem, .* add --force to .*\n$/);
  assert.deepEqual(await Promise.all(names.map(certificates.read)), before);

  const forced = await genCert(directory, "localhost", "--force");
  assert.equal(forced.code, 0, textOf(forced.stderr));
  const after = await Promise.all(names.map(certificates.read));
  const same = names.filter((_, i) => before[i] === after[i]);
  assert.deepEqual(same.sort(), ["ca.key", "ca.pem"]);
  assert.equal([...Deno.readDirSync(directory)].length, names.length, "nothing else is left");
  assert.equal(((await Deno.stat(`${directory}/server.key`)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("without permissions it says which it needs", OPTIONS, async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "mod.ts", "gen-cert", "a", "--out", "certs"],
    cwd: ROOT,
    stdin: "null",
  }).output();
  assert.equal(code, 1);
  assert.match(
    textOf(stderr),
    /^rathole: .*--allow-read=certs --allow-write=certs mod\.ts gen-cert /,
  );
});

Deno.test({
  name: `OpenSSL verifies what was made${openssl.missing}`,
  ignore: openssl.ignore,
  ...OPTIONS,
  fn: async () => {
    await using certificates = await made("localhost", "*.example.com", "192.0.2.1", "::1");
    const at = (name: string) => `${certificates.directory}/${name}`;
    const verify = (name: string, ...options: string[]) =>
      runOpenssl("verify", "-x509_strict", "-CAfile", at("ca.pem"), ...options, at(name));
    for (
      const [name, ...options] of [
        ["server.pem", "-purpose", "sslserver"],
        ["client.pem", "-purpose", "sslclient"],
        ["server.pem", "-verify_hostname", "localhost"],
        ["server.pem", "-verify_hostname", "a.example.com"],
        ["server.pem", "-verify_ip", "192.0.2.1"],
        ["server.pem", "-verify_ip", "::1"],
      ] as const
    ) {
      const { ok, text } = await verify(name, ...options);
      assert(ok, `${options.join(" ")}: ${text}`);
    }
    for (
      const [name, ...options] of [
        ["server.pem", "-purpose", "sslclient"],
        ["client.pem", "-purpose", "sslserver"],
        ["server.pem", "-verify_hostname", "example.com"],
        ["server.pem", "-verify_ip", "192.0.2.2"],
      ] as const
    ) {
      assert(!(await verify(name, ...options)).ok, options.join(" "));
    }
    const info = (password: string) =>
      runOpenssl(
        ...["pkcs12", "-info", "-in", at("server.p12"), "-nodes", "-passin", `pass:${password}`],
      );
    const opened = await info(certificates.password);
    assert(opened.ok, opened.text);
    assert.match(opened.text, /PBES2, PBKDF2, AES-256-CBC.*hmacWithSHA256/);
    assert.match(opened.text, /MAC: sha256/);
    for (const name of ["server.pem", "server.key"]) {
      assert(opened.text.includes(await certificates.read(name)), `${name} is in it`);
    }
    assert(!(await info("x")).ok, "another password does not open it");
  },
});

Deno.test("node:tls serves either form and asks the client for its own", OPTIONS, async () => {
  await using certificates = await made("localhost", "127.0.0.1");
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "client.pem", "client.key"].map(certificates.read),
  );
  const pem = {
    cert: await certificates.read("server.pem"),
    key: await certificates.read("server.key"),
  };
  const pfx = Buffer.from(await Deno.readFile(`${certificates.directory}/server.p12`));
  for (const identity of [pem, { pfx, passphrase: certificates.password }]) {
    const server = tls.createServer({ ...identity, ca, requestCert: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(`${socket.authorized}`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      const answer = async (options: tls.ConnectionOptions) => {
        const socket = tls.connect({ host: "127.0.0.1", port, ...options });
        try {
          const parts: string[] = [];
          socket.setEncoding("utf8").on("data", (part: string) => parts.push(part));
          await once(socket, "end");
          return parts.join("");
        } finally {
          socket.destroy();
        }
      };
      assert.equal(await answer({ ca, cert, key }), "true");
      await assert.rejects(answer({ ca }), "no certificate");
      await assert.rejects(answer({ ca, cert, key, servername: "other.example" }));
      await assert.rejects(answer({ cert, key }), "an authority that nobody trusts");
    } finally {
      server.close();
      await once(server, "close");
    }
  }
});

Deno.test({
  name: `rathole 0.5.0 runs with the configuration that was printed${missing}`,
  ignore,
  ...OPTIONS,
  fn: async () => {
    await using certificates = await made("localhost", "127.0.0.1");
    // What the text tells to leave out for it.
    const client = certificates.block(/^# client/).replaceAll(
      /^(?:certificate|private_key) .*\n/gm,
      "",
    );
    await using local = echoService();
    await using pair = await startPair(
      { server: "rust", client: "rust" },
      { echo: { local: local.address } },
      { server: certificates.block(/^# server, rathole 0\.5\.0/), client },
    );
    await pair.check(async (door) => {
      assert.equal(textOf(await ask(door("echo"), bytesOf("hello"))), "hello");
    });
  },
});
