/**
 * X.509 certificates, version 3 (RFC 5280), of ECDSA keys on P-256.
 *
 * @module
 */

import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import type { Host } from "./hosts.ts";

/** The kind of key that everything here has: small, and known to every TLS library. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

/** What a certificate is for. */
export type Usage = "authority" | "server" | "client";

/** Who signs. For an authority's own certificate, the authority itself. */
export interface Issuer {
  /** Its name, as its own certificate has it. */
  readonly name: pkijs.RelativeDistinguishedNames;
  /** What its own certificate calls its key, if anything. */
  readonly keyIdentifier: ArrayBuffer | undefined;
  /** What signs. */
  readonly privateKey: CryptoKey;
}

/** What a certificate says. */
export interface Subject {
  /** Whose it is. */
  readonly name: pkijs.RelativeDistinguishedNames;
  /** The key it vouches for. */
  readonly publicKey: CryptoKey;
  /** What for. */
  readonly usage: Usage;
  /** Where a server may be reached, or which names a client has; may be empty. */
  readonly hosts: readonly Host[];
  /** From when on, in whole seconds. */
  readonly notBefore: Date;
  /** Until when, in whole seconds. */
  readonly notAfter: Date;
}

const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALT_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const PURPOSE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/** A signed certificate. */
export async function makeCertificate(
  subject: Subject,
  issuer: Issuer,
): Promise<pkijs.Certificate> {
  const certificate = new pkijs.Certificate({
    version: 2, // which stands for 3
    serialNumber: serialNumber(),
    issuer: issuer.name,
    subject: subject.name,
    notBefore: time(subject.notBefore),
    notAfter: time(subject.notAfter),
  });
  await certificate.subjectPublicKeyInfo.importKey(subject.publicKey);
  certificate.extensions = await extensionsOf(subject, issuer);
  await certificate.sign(issuer.privateKey, "SHA-256");
  return certificate;
}

/**
 * What names a key in certificates and key stores: 20 bytes, the SHA-1 of the public key's point
 * (RFC 5280, 4.2.1.2, method 1). Nothing rests on its being hard to forge.
 */
export async function keyIdentifier(publicKey: CryptoKey): Promise<ArrayBuffer> {
  return await crypto.subtle.digest("SHA-1", await crypto.subtle.exportKey("raw", publicKey));
}

/** What a certificate calls its own key; undefined when it says nothing. */
export function ownKeyIdentifier(certificate: pkijs.Certificate): ArrayBuffer | undefined {
  const found = certificate.extensions?.find(({ extnID }) => extnID === SUBJECT_KEY_IDENTIFIER);
  const value: unknown = found?.parsedValue;
  return value instanceof asn1js.OctetString ? value.valueBlock.valueHex : undefined;
}

/** Whether a certificate says that its key may sign others. */
export function isAuthority(certificate: pkijs.Certificate): boolean {
  const found = certificate.extensions?.find(({ extnID }) => extnID === BASIC_CONSTRAINTS);
  const value: unknown = found?.parsedValue;
  return value instanceof pkijs.BasicConstraints && value.cA;
}

async function extensionsOf(subject: Subject, issuer: Issuer): Promise<pkijs.Extension[]> {
  const { usage, hosts } = subject;
  const constraints = usage === "authority"
    ? new pkijs.BasicConstraints({ cA: true, pathLenConstraint: 0 })
    : new pkijs.BasicConstraints({});
  const own = new asn1js.OctetString({ valueHex: await keyIdentifier(subject.publicKey) });
  const extensions = [
    extension(BASIC_CONSTRAINTS, constraints.toSchema(), "critical"),
    extension(KEY_USAGE, keyUsage(usage), "critical"),
    extension(SUBJECT_KEY_IDENTIFIER, own),
  ];
  if (issuer.keyIdentifier !== undefined) {
    const signers = new pkijs.AuthorityKeyIdentifier({
      keyIdentifier: new asn1js.OctetString({ valueHex: issuer.keyIdentifier }),
    });
    extensions.push(extension(AUTHORITY_KEY_IDENTIFIER, signers.toSchema()));
  }
  if (usage !== "authority") {
    const purposes = new pkijs.ExtKeyUsage({ keyPurposes: [PURPOSE[usage]] });
    extensions.push(extension(EXTENDED_KEY_USAGE, purposes.toSchema()));
  }
  if (hosts.length > 0) {
    const names = new pkijs.GeneralNames({ names: hosts.map(generalName) });
    extensions.push(extension(SUBJECT_ALT_NAME, names.toSchema()));
  }
  return extensions;
}

function extension(extnID: string, value: asn1js.AsnType, critical?: "critical"): pkijs.Extension {
  return new pkijs.Extension({
    extnID,
    critical: critical !== undefined,
    extnValue: value.toBER(false),
  });
}

/** Bit 0 is the highest: digitalSignature; 5 and 6 are keyCertSign and cRLSign. */
function keyUsage(usage: Usage): asn1js.BitString {
  const [bits, unusedBits] = usage === "authority" ? [0b0000_0110, 1] : [0b1000_0000, 7];
  return new asn1js.BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits });
}

function generalName(host: Host): pkijs.GeneralName {
  return host.kind === "dns"
    ? new pkijs.GeneralName({ type: 2, value: host.text })
    : new pkijs.GeneralName({
      type: 7,
      value: new asn1js.OctetString({ valueHex: new Uint8Array(host.bytes).buffer }),
    });
}

/** A name that is a common name only, 1 to 64 characters. */
export function commonName(name: string): pkijs.RelativeDistinguishedNames {
  return new pkijs.RelativeDistinguishedNames({
    typesAndValues: [
      new pkijs.AttributeTypeAndValue({
        type: COMMON_NAME,
        value: new asn1js.Utf8String({ value: name }),
      }),
    ],
  });
}

/** Years from 2050 on need the longer form, all others must have the shorter one. */
function time(value: Date): pkijs.Time {
  return new pkijs.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

/** 16 random bytes that make a positive number without zeros in front. */
function serialNumber(): asn1js.Integer {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x3f | 0x40;
  return new asn1js.Integer({ valueHex: bytes.buffer });
}
