import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Transport } from "../src/transport/transport.ts";
import { Certificates, type Pem } from "./support/certificates.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { eventually, pause } from "./support/patience.ts";
import { ANYWHERE } from "./support/tcp_pair.ts";
import { tlsClient, tlsServer } from "./support/tls_pair.ts";

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const [first, second, third] = await Promise.all([1, 2, 3].map(() => made.signed(ca)));
assert.ok(first && second && third);

/** What a transport has told. */
class Told {
  readonly renewed: string[][] = [];
  readonly refused: string[] = [];

  certificateRenewed(files: readonly string[]): void {
    this.renewed.push([...files]);
  }

  certificateRefused(reason: string): void {
    this.refused.push(reason);
  }
}

/** The serial number of the certificate that a server of this transport shows. */
async function served(listener: ReturnType<Transport["bind"]>): Promise<string> {
  const accepting = listener.accept().then((incoming) => incoming.handshake());
  const { stdout } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${listener.address.port}`],
    stdin: "null",
    stderr: "null",
  }).output();
  const accepted = await accepting;
  accepted.abort();
  await pause(0);
  return new X509Certificate(new TextDecoder().decode(stdout)).serialNumber;
}

async function serial(pem: Pem): Promise<string> {
  return new X509Certificate(await Deno.readTextFile(pem.certificate)).serialNumber;
}

/** Files that a server uses, in a folder of their own, and the server. */
async function renewable(): Promise<
  & { readonly files: Pem; readonly told: Told; readonly clock: FakeClock; readonly folder: string }
  & { look(): Promise<void>; served(): Promise<string>; put(pem: Pem): Promise<void> }
  & AsyncDisposable
> {
  const folder = await Deno.makeTempDir({ prefix: "rathole-renew-" });
  const files = { certificate: join(folder, "cert.pem"), private_key: join(folder, "key.pem") };
  const put = async (pem: Pem) => {
    await Deno.copyFile(pem.certificate, files.certificate);
    await Deno.copyFile(pem.private_key, files.private_key);
  };
  assert.ok(first);
  await put(first);
  const clock = new FakeClock();
  const told = new Told();
  const transport = await tlsServer({ ...files }, { clock, events: told });
  const listener = transport.bind(ANYWHERE);
  return {
    files,
    told,
    clock,
    folder,
    put,
    served: () => served(listener),
    async look() {
      clock.tick(3_000);
      // The next look is due only when this one is over.
      await eventually("the look at the files", () => clock.pending, (pending) => pending === 1);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      assert.equal(clock.pending, 0);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a renewed certificate is served to new connections, without a restart", async () => {
  await using it = await renewable();
  assert.equal(await it.served(), await serial(first));
  await it.look();
  assert.deepEqual(it.told.renewed, []);
  // Written in place.
  await it.put(second);
  await it.look();
  assert.equal(await it.served(), await serial(second));
  assert.deepEqual(it.told.renewed, [[it.files.certificate, it.files.private_key]]);
  // Renamed over.
  for (const key of ["certificate", "private_key"] as const) {
    await Deno.copyFile(third[key], it.files[key] + ".new");
    await Deno.rename(it.files[key] + ".new", it.files[key]);
  }
  await it.look();
  assert.equal(await it.served(), await serial(third));
  // Touched only.
  await Deno.utime(it.files.certificate, new Date(), new Date(Date.now() + 5_000));
  await it.look();
  assert.equal(it.told.renewed.length, 2);
  assert.deepEqual(it.told.refused, []);
});

Deno.test("a swapped symbolic link is a renewal, as Kubernetes does it", async () => {
  await using it = await renewable();
  const link = join(it.folder, "data");
  for (const [name, pem] of [["one", second], ["two", third]] as const) {
    await Deno.mkdir(join(it.folder, name));
    await Deno.copyFile(pem.certificate, join(it.folder, name, "cert.pem"));
    await Deno.copyFile(pem.private_key, join(it.folder, name, "key.pem"));
  }
  await Deno.symlink(join(it.folder, "one"), link);
  for (const name of ["cert.pem", "key.pem"]) {
    await Deno.remove(join(it.folder, name));
    await Deno.symlink(join(link, name), join(it.folder, name));
  }
  await it.look();
  assert.equal(await it.served(), await serial(second));
  await Deno.symlink(join(it.folder, "two"), link + ".new");
  await Deno.rename(link + ".new", link);
  await it.look();
  assert.equal(await it.served(), await serial(third));
  assert.deepEqual(it.told.refused, []);
});

Deno.test("half of a new pair waits for the other half, and is not complained of", async () => {
  await using it = await renewable();
  await Deno.copyFile(second.certificate, it.files.certificate);
  await it.look();
  assert.equal(await it.served(), await serial(first));
  await Deno.copyFile(second.private_key, it.files.private_key);
  await it.look();
  assert.equal(await it.served(), await serial(second));
  assert.deepEqual(it.told.refused, []);
  assert.equal(it.told.renewed.length, 1);
});

Deno.test("broken files are refused once each, and what was there before stays", async () => {
  await using it = await renewable();
  await Deno.copyFile(second.certificate, it.files.certificate);
  for (let i = 0; i < 4; i++) await it.look();
  assert.equal(it.told.refused.length, 1);
  assert.match(it.told.refused[0] ?? "", /does not belong to the certificate/);
  await Deno.writeTextFile(it.files.certificate, "garbage");
  for (let i = 0; i < 4; i++) await it.look();
  assert.equal(it.told.refused.length, 2);
  assert.match(it.told.refused[1] ?? "", /no certificate in PEM/);
  await Deno.remove(it.files.certificate);
  for (let i = 0; i < 4; i++) await it.look();
  assert.equal(it.told.refused.length, 3);
  assert.match(it.told.refused[2] ?? "", /no such file/);
  assert.equal(await it.served(), await serial(first));
  assert.deepEqual(it.told.renewed, []);
  await it.put(third);
  await it.look();
  assert.equal(await it.served(), await serial(third));
  assert.equal(it.told.renewed.length, 1);
});

Deno.test("a client takes a new trusted_root at its next connection", async () => {
  await using certificates = await Certificates.make();
  const other = await certificates.ca("other");
  const trusted_root = await certificates.joined(other.certificate);
  const clock = new FakeClock();
  const told = new Told();
  const client = await tlsClient({ trusted_root }, { clock, events: told });
  const server = await tlsServer({ ...first });
  using listener = server.bind(ANYWHERE);
  const connect = () => client.connect(listener.address, { signal: new AbortController().signal });
  const refused = async () => {
    const accepting = listener.accept().then((incoming) => incoming.handshake());
    await Promise.all([
      assert.rejects(connect(), { code: "untrusted" }),
      assert.rejects(accepting, { code: "untrusted" }),
    ]);
  };
  await refused();
  await Deno.copyFile(ca.certificate, trusted_root);
  // It does not look more often than once a second.
  await refused();
  clock.tick(1_000);
  const [connected, incoming] = await Promise.all([
    connect(),
    listener.accept().then((it) => it.handshake()),
  ]);
  connected.abort();
  incoming.abort();
  await pause(0);
  assert.deepEqual(told.renewed, [[trusted_root]]);
});
