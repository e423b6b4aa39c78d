import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Buffer } from "node:buffer";
import { RatholeError } from "../runtime/errors.ts";
import { Secret } from "../runtime/secret.ts";
import { type Authority, createAuthority, openAuthority } from "./authority.ts";

const DAY = 24 * 60 * 60 * 1000;

function days(pem: string): number {
  const { validFrom, validTo } = new X509Certificate(pem);
  return (Date.parse(validTo) - Date.parse(validFrom) + 1000) / DAY;
}

async function fails(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert(error instanceof RatholeError, String(error));
    assert.equal(error.code, "config");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("an authority is one for ten years, what it issues ends after 825 days", async () => {
  const authority = await createAuthority();
  const certificate = new X509Certificate(authority.certificatePem);
  assert.equal(certificate.subject, "CN=rathole CA");
  assert.equal(certificate.issuer, "CN=rathole CA");
  assert.equal(certificate.ca, true);
  assert.equal(days(authority.certificatePem), 3650);
  assert.equal(authority.notAfter.getTime(), Date.parse(certificate.validTo));
  const hour = Date.now() - Date.parse(certificate.validFrom);
  assert(hour >= 60 * 60 * 1000 && hour < 70 * 60 * 1000, "an hour for clocks that are behind");

  for (const usage of ["server", "client"] as const) {
    const { certificatePem, notAfter } = await authority.issue({ usage, hosts: ["a.example"] });
    const issued = new X509Certificate(certificatePem);
    assert.equal(issued.ca, false);
    assert.equal(issued.issuer, "CN=rathole CA");
    assert.equal(days(certificatePem), 825);
    assert.equal(notAfter.getTime(), Date.parse(issued.validTo));
    assert.match(issued.serialNumber, /^[4-7][\dA-F]{31}$/);
  }
});

Deno.test("hosts stand in the certificate, the first one is its name", async () => {
  const authority = await createAuthority({ name: "Ours" });
  const subject = async (options: Partial<Parameters<Authority["issue"]>[0]>) => {
    const { certificatePem } = await authority.issue({ usage: "server", ...options });
    return new X509Certificate(certificatePem);
  };
  const several = await subject({ hosts: ["*.Example.com", "10.0.0.1", "::1"] });
  assert.equal(several.subject, "CN=*.example.com");
  assert.equal(several.issuer, "CN=Ours");
  // As text within the DER: dNSName is tag 2, iPAddress tag 7.
  const der = Buffer.from(several.raw).toString("latin1");
  assert(der.includes("\x82\x0d*.example.com"));
  assert(der.includes("\x87\x04\x0a\x00\x00\x01"));
  assert(der.includes(`\x87\x10${"\0".repeat(15)}\x01`));
  assert.equal((await subject({})).subject, "CN=rathole server");
  assert.equal((await subject({ usage: "client" })).subject, "CN=rathole client");
  assert.equal((await subject({ hosts: ["a"], name: "n" })).subject, "CN=n");
  const long = `${"a".repeat(60)}.example`;
  assert.equal((await subject({ hosts: [long] })).subject, "CN=rathole server");
});

Deno.test("an authority goes on from its two files", async () => {
  const first = await createAuthority({ name: "Ours" });
  const again = await openAuthority(first.certificatePem, first.privateKeyPem);
  assert.deepEqual(again.notAfter, first.notAfter);
  const authority = new X509Certificate(first.certificatePem);
  for (const issuer of [first, again]) {
    const { certificatePem } = await issuer.issue({ usage: "server", hosts: ["a"] });
    assert(new X509Certificate(certificatePem).verify(authority.publicKey));
  }
  const other = new X509Certificate((await createAuthority({ name: "Ours" })).certificatePem);
  const { certificatePem } = await again.issue({ usage: "server", hosts: ["a"] });
  assert(!new X509Certificate(certificatePem).verify(other.publicKey));
});

Deno.test("what is issued ends with its authority, unless told otherwise", async () => {
  const soon = new Date(Math.floor(Date.now() / 1000) * 1000 + DAY);
  const authority = await createAuthority({ notAfter: soon });
  const { notAfter } = await authority.issue({ usage: "client" });
  assert.deepEqual(notAfter, soon);
  const later = new Date(soon.getTime() + DAY);
  const told = await authority.issue({ usage: "client", notAfter: later });
  assert.deepEqual(told.notAfter, later);
});

Deno.test("lifetimes of the past, of the future and beyond 2049", async () => {
  const [past, end] = [new Date("2001-02-03T04:05:06.789Z"), new Date("2002-02-03T04:05:06Z")];
  const authority = await createAuthority({ notBefore: past, notAfter: new Date("2061-01-01") });
  const { validFrom, validTo } = new X509Certificate(authority.certificatePem);
  assert.equal(Date.parse(validFrom), Date.parse("2001-02-03T04:05:06Z"), "whole seconds");
  assert.equal(Date.parse(validTo), Date.parse("2061-01-01"));
  const expired = await authority.issue({ usage: "server", notBefore: past, notAfter: end });
  assert.deepEqual(expired.notAfter, end);

  const wrong = /cannot end before it begins/;
  await fails(createAuthority({ notBefore: end, notAfter: past }), wrong);
  await fails(createAuthority({ notBefore: new Date(NaN) }), wrong);
  await fails(authority.issue({ usage: "client", notBefore: end, notAfter: past }), wrong);
  const ended = await createAuthority({ notBefore: past, notAfter: end });
  await fails(ended.issue({ usage: "client" }), /authority's certificate ended on 2002-02-03/);
});

Deno.test("hosts and names that cannot be", async () => {
  const authority = await createAuthority();
  const issue = (options: { hosts?: string[]; name?: string }) =>
    authority.issue({ usage: "server", ...options });
  await fails(issue({ hosts: ["a.example", "b:1"] }), /the host 'b:1' has a port; write the host/);
  await fails(issue({ name: "" }), /1 to 64 characters/);
  await fails(issue({ name: "a".repeat(65) }), /1 to 64 characters/);
  await fails(createAuthority({ name: "" }), /1 to 64 characters/);
});

Deno.test("files that are no authority's", async () => {
  const authority = await createAuthority();
  const { certificatePem, privateKeyPem } = authority;
  const server = await authority.issue({ usage: "server", hosts: ["a"] });
  const other = await createAuthority();
  const broken = certificatePem.replace(/(?<=-\n.{40})..../, "AAAA");
  const rsa = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const rsaPem = `-----BEGIN PRIVATE KEY-----\n${
    new Uint8Array(await crypto.subtle.exportKey("pkcs8", rsa.privateKey)).toBase64()
  }\n-----END PRIVATE KEY-----\n`;
  // The identifier of the algorithm with a bit of it changed: Deno notices when the key is used.
  const strangePem = privateKeyPem.reveal().replace("MBMGByqG", "MBMGByqL");
  const sec1 = privateKeyPem.reveal().replaceAll("PRIVATE KEY", "EC PRIVATE KEY");
  for (
    const [certificate, key, message] of [
      ["", privateKeyPem.reveal(), /the certificate is not in PEM form/],
      [certificatePem, "", /the key is not in PEM form/],
      [certificatePem, sec1, /the key is not in PEM form/],
      [broken, privateKeyPem.reveal(), /the certificate cannot be read|not an ECDSA|not an auth/],
      [certificatePem, rsaPem, /its key is not an ECDSA key on P-256/],
      [certificatePem, strangePem, /its key is not an ECDSA key on P-256/],
      [certificatePem, other.privateKeyPem.reveal(), /the key is not that of the certificate/],
      [server.certificatePem, server.privateKeyPem.reveal(), /is not an authority's/],
    ] as const
  ) {
    await fails(openAuthority(certificate, new Secret(key)), message);
  }
});

Deno.test("keys are secrets: nothing prints them", async () => {
  const authority = await createAuthority();
  const server = await authority.issue({ usage: "server", hosts: ["a"] });
  assert(!Deno.inspect([authority, server], { depth: 9 }).includes("PRIVATE KEY"));
  assert(!JSON.stringify([authority, server]).includes("PRIVATE KEY"));
});
