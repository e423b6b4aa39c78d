import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import type { CertificateLifetime, Transport } from "../src/transport/transport.ts";
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
  readonly lifetimes: CertificateLifetime[] = [];

  certificateRenewed(files: readonly string[]): void {
    this.renewed.push([...files]);
  }

  certificateRefused(reason: string): void {
    this.refused.push(reason);
  }

  certificateLifetime(lifetime: CertificateLifetime): void {
    this.lifetimes.push(lifetime);
  }
}

/** The serial number of the certificate that a server of this transport shows. */
async function served(listener: ReturnType<Transport["bind"]>): Promise<string> {
  const accepting = listener.accept().then((incoming) => incoming.handshake());
  const { hostname: host, port } = listener.address;
  // It is the certificate that is looked at, not whether it is trusted.
  const visitor = connectTls({ host, port, rejectUnauthorized: false });
  await once(visitor, "secureConnect");
  const accepted = await accepting;
  const { serialNumber } = visitor.getPeerCertificate();
  visitor.destroy();
  accepted.abort();
  await pause(0);
  return serialNumber;
}

async function serial(pem: Pem): Promise<string> {
  return new X509Certificate(await Deno.readTextFile(pem.certificate)).serialNumber;
}

/** A server whose files change, and what it tells. */
interface Renewable extends AsyncDisposable {
  readonly told: Told;
  readonly clock: FakeClock;
  /** Lets it look at its files. */
  look(): Promise<void>;
  /** See {@linkcode served}. */
  served(): Promise<string>;
  /** Where it listens. */
  readonly listener: ReturnType<Transport["bind"]>;
}

async function serving(tls: Parameters<typeof tlsServer>[0]): Promise<Renewable> {
  const clock = new FakeClock();
  const told = new Told();
  const listener = (await tlsServer(tls, { clock, events: told })).bind(ANYWHERE);
  return {
    told,
    clock,
    listener,
    served: () => served(listener),
    async look() {
      clock.tick(3_000);
      // The next look is due only when this one is over.
      await eventually("the look at the files", () => clock.pending, (pending) => pending === 1);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      assert.equal(clock.pending, 0);
      await pause(0);
    },
  };
}

/** PEM files that a server uses, in a folder of their own, and the server. */
async function renewable(): Promise<
  Renewable & { readonly files: Pem; readonly folder: string; put(pem: Pem): Promise<void> }
> {
  const folder = await Deno.makeTempDir({ prefix: "rathole-renew-" });
  const files = { certificate: join(folder, "cert.pem"), private_key: join(folder, "key.pem") };
  const put = async (pem: Pem) => {
    await Deno.copyFile(pem.certificate, files.certificate);
    await Deno.copyFile(pem.private_key, files.private_key);
  };
  assert.ok(first);
  await put(first);
  const server = await serving({ ...files });
  return {
    ...server,
    files,
    folder,
    put,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
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

Deno.test("a renewed PKCS#12 file is served; one with another password is refused", async () => {
  const identity = await made.pkcs12(first, "right");
  await using it = await serving({ pkcs12: identity, pkcs12_password: "right" });
  assert.equal(await it.served(), await serial(first));
  await Deno.copyFile(await made.pkcs12(second, "right"), identity);
  await it.look();
  assert.equal(await it.served(), await serial(second));
  assert.deepEqual(it.told.renewed, [[identity]]);
  await Deno.copyFile(await made.pkcs12(third, "another"), identity);
  for (let i = 0; i < 4; i++) await it.look();
  assert.equal(it.told.refused.length, 1);
  assert.match(it.told.refused[0] ?? "", /pkcs12_password is not the file's/);
  assert.equal(await it.served(), await serial(second));
  // Cut off in the middle, as while it is written.
  const whole = await Deno.readFile(await made.pkcs12(third, "right"));
  await Deno.writeFile(identity, whole.subarray(0, 500));
  await it.look();
  await Deno.writeFile(identity, whole);
  await it.look();
  assert.equal(await it.served(), await serial(third));
  assert.equal(it.told.refused.length, 1);
  assert.equal(it.told.renewed.length, 2);
});

Deno.test("a new client_ca decides about new connections; open ones stay", async () => {
  const other = await made.ca("other");
  const client_ca = await made.joined(ca.certificate);
  const settings = { trusted_root: ca.certificate };
  const old = await tlsClient({
    ...settings,
    ...await made.signed(ca, { usage: "client" }),
  });
  const young = await tlsClient({
    ...settings,
    ...await made.signed(other, { usage: "client" }),
  });
  await using it = await serving({ ...first, client_ca });
  const { signal } = new AbortController();
  /** Whether the server lets a client in; both ends, if so. */
  const attempt = async (client: Transport) => {
    const connecting = client.connect(it.listener.address, { signal });
    const accepting = it.listener.accept().then((incoming) => incoming.handshake());
    const [near, far] = await Promise.allSettled([connecting, accepting]);
    if (near.status === "fulfilled" && far.status === "fulfilled") return [near.value, far.value];
    if (near.status === "fulfilled") near.value.abort();
    assert.equal(far.status === "rejected" && far.reason.code, "untrusted");
    await pause(0);
    return undefined;
  };
  const open = await attempt(old);
  assert.ok(open);
  assert.equal(await attempt(young), undefined);
  await Deno.copyFile(other.certificate, client_ca);
  await it.look();
  assert.deepEqual(it.told.renewed, [[client_ca]]);
  const opened = await attempt(young);
  assert.ok(opened);
  assert.equal(await attempt(old), undefined);
  const [near, far] = open;
  await near?.write(Uint8Array.of(1));
  assert.deepEqual(await far?.read(), Uint8Array.of(1));
  for (const end of [...open, ...opened]) end.abort();
  await pause(0);
});

Deno.test("a certificate that ends soon is told at the start, when renewed, once a day", async () => {
  const DAY = 24 * 60 * 60 * 1000;
  const ending = await made.signed(ca, { until: 6 });
  const ended = await made.signed(ca, { from: -9, until: -2 });
  const early = await made.signed(ca, { from: 2, until: 900 });
  await using it = await renewable();
  const states = () => it.told.lifetimes.map(({ state }) => state);
  assert.deepEqual(states(), []);
  await it.put(ending);
  await it.look();
  assert.deepEqual(states(), ["expires-soon"]);
  const [told] = it.told.lifetimes;
  assert.equal(told?.file, it.files.certificate);
  const { validTo } = new X509Certificate(await Deno.readTextFile(ending.certificate));
  assert.equal(told?.notAfter.getTime(), Date.parse(validTo));
  for (let i = 0; i < 5; i++) await it.look();
  assert.equal(it.told.lifetimes.length, 1);
  it.clock.tick(DAY);
  await it.look();
  await it.look();
  assert.equal(it.told.lifetimes.length, 2);
  await it.put(ended);
  await it.look();
  await it.put(early);
  await it.look();
  assert.deepEqual(states().slice(2), ["expired", "not-yet-valid"]);
  // They are served: it is for who connects to judge, by a clock that may be another.
  assert.equal(await it.served(), await serial(early));
  await it.put(second);
  await it.look();
  it.clock.tick(2 * DAY);
  await it.look();
  assert.equal(it.told.lifetimes.length, 4);
  assert.deepEqual(it.told.refused, []);
});

Deno.test("the same for PKCS#12, and for a client's certificate", async () => {
  const ended = await made.signed(ca, { from: -9, until: -2 });
  const pkcs12 = await made.pkcs12(ended, "x");
  await using it = await serving({ pkcs12, pkcs12_password: "x" });
  assert.deepEqual(it.told.lifetimes.map(({ file, state }) => [file, state]), [
    [pkcs12, "expired"],
  ]);
  const { validFrom } = new X509Certificate(await Deno.readTextFile(ended.certificate));
  assert.equal(it.told.lifetimes[0]?.notBefore.getTime(), Date.parse(validFrom));
  const told = new Told();
  const mine = await made.signed(ca, { usage: "client", until: 3 });
  await tlsClient({ trusted_root: ca.certificate, ...mine }, { events: told });
  assert.deepEqual(told.lifetimes.map(({ file, state }) => [file, state]), [
    [mine.certificate, "expires-soon"],
  ]);
  await tlsClient({ trusted_root: ca.certificate }, { events: told });
  assert.equal(told.lifetimes.length, 1);
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
