/**
 * A certificate authority of one's own: makes identities for servers and clients, and can be kept
 * in two PEM files to make more of them later.
 *
 * @module
 */

import * as pkijs from "pkijs";
import { RatholeError } from "../runtime/errors.ts";
import { Secret } from "../runtime/secret.ts";
import {
  commonName,
  isAuthority,
  type Issuer,
  KEY_ALGORITHM,
  keyIdentifier,
  makeCertificate,
  ownKeyIdentifier,
} from "./certificate.ts";
import { type Host, isHost, parseHost } from "./hosts.ts";
import { AUTHORITY_DAYS, LEAF_DAYS, type Lifetime, resolveLifetime } from "./lifetime.ts";
import { fromPem, toPem } from "./pem.ts";
import { makePkcs12 } from "./pkcs12.ts";

/** A certificate and its key as PEM. */
export interface PemPair {
  /** One certificate. */
  readonly certificatePem: string;
  /** Its key as PKCS#8, not encrypted. */
  readonly privateKeyPem: Secret;
}

/** Options of {@linkcode createAuthority}. */
export interface AuthorityOptions extends Lifetime {
  /** Its name, 1 to 64 characters. Default `rathole CA`. */
  readonly name?: string | undefined;
}

/** Options of {@linkcode Authority.issue}. */
export interface IssueOptions extends Lifetime {
  /** Which side of TLS shows it. */
  readonly usage: "server" | "client";
  /**
   * DNS names, wildcards and IP addresses. Clients look for the server's name among them and nowhere
   * else; a client's certificate needs none.
   */
  readonly hosts?: readonly string[] | undefined;
  /** Its common name. Default the first host, or `rathole client`. */
  readonly name?: string | undefined;
}

/** What a server or client shows. */
export interface IssuedIdentity extends PemPair {
  /** Last second in which it is valid. */
  readonly notAfter: Date;
  /** Both in a PKCS#12 file that the password opens. */
  pkcs12(password: Secret | string): Promise<Uint8Array>;
}

/** A certificate authority. */
export interface Authority extends PemPair {
  /** Last second in which it is valid. */
  readonly notAfter: Date;
  /**
   * Makes a key and its certificate, which does not outlive the authority unless `notAfter` says so.
   *
   * @throws {RatholeError} `config` for a host that is none, a name of no or too many characters,
   * and a lifetime that ends before it begins, as where the authority's has ended
   */
  issue(options: IssueOptions): Promise<IssuedIdentity>;
}

/**
 * Makes a new authority with an ECDSA key on P-256.
 *
 * @throws {RatholeError} `config` for a name or lifetime that cannot be
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const name = commonName(checkedName(options.name ?? "rathole CA"));
  const lifetime = resolveLifetime(options, AUTHORITY_DAYS, new Date());
  const { privateKey, publicKey } = await makeKeys();
  const issuer = { name, privateKey, keyIdentifier: await keyIdentifier(publicKey) };
  const certificate = await makeCertificate(
    { name, publicKey, usage: "authority", hosts: [], ...lifetime },
    issuer,
  );
  const der = await crypto.subtle.exportKey("pkcs8", privateKey);
  return authority(certificate, issuer, pemPair(certificate, der));
}

/**
 * Takes up an authority again from its PEM files.
 *
 * @throws {RatholeError} `config` when they are not a certificate of an authority and its ECDSA key
 * on P-256; its message says which of this is not so, and holds nothing of the files
 */
export async function openAuthority(
  certificatePem: string,
  privateKeyPem: Secret,
): Promise<Authority> {
  const certificate = readCertificate(certificatePem);
  const issuer = await readIssuer(certificate, privateKeyPem);
  return authority(certificate, issuer, { certificatePem, privateKeyPem });
}

function authority(certificate: pkijs.Certificate, issuer: Issuer, pem: PemPair): Authority {
  const end = certificate.notAfter.value;
  return {
    ...pem,
    notAfter: end,
    async issue({ usage, hosts = [], name, ...lifetime }) {
      const parsed = hosts.map(host);
      const subject = commonName(checkedName(name ?? nameOf(parsed, usage)));
      const own = resolveLifetime(lifetime, LEAF_DAYS, new Date());
      const notAfter = lifetime.notAfter === undefined && own.notAfter > end ? end : own.notAfter;
      if (notAfter < own.notBefore) {
        throw new RatholeError("config", `the authority's certificate ended on ${day(end)}`);
      }
      const keys = await makeKeys();
      const { publicKey } = keys;
      const issued = await makeCertificate(
        { name: subject, publicKey, usage, hosts: parsed, notBefore: own.notBefore, notAfter },
        issuer,
      );
      const privateKey = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
      const identity = {
        certificate: issued,
        privateKey,
        keyIdentifier: await keyIdentifier(publicKey),
      };
      return {
        ...pemPair(issued, privateKey),
        notAfter,
        pkcs12: (password) =>
          makePkcs12(identity, typeof password === "string" ? new Secret(password) : password),
      };
    },
  };
}

async function makeKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

function pemPair(certificate: pkijs.Certificate, privateKey: ArrayBuffer): PemPair {
  return {
    certificatePem: toPem("CERTIFICATE", certificate.toSchema(true).toBER(false)),
    privateKeyPem: new Secret(toPem("PRIVATE KEY", privateKey)),
  };
}

function host(text: string): Host {
  const parsed = parseHost(text);
  if (isHost(parsed)) return parsed;
  throw new RatholeError("config", `the host '${text}' ${parsed.problem}`);
}

/** A common name is for people only, and has no room for a long host. */
function nameOf([first]: readonly Host[], usage: "server" | "client"): string {
  return first !== undefined && first.text.length <= 64 ? first.text : `rathole ${usage}`;
}

function checkedName(name: string): string {
  if (name !== "" && [...name].length <= 64) return name;
  throw new RatholeError("config", "a certificate's name has 1 to 64 characters");
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function readCertificate(pem: string): pkijs.Certificate {
  const der = fromPem("CERTIFICATE", pem);
  if (der === undefined) throw unusable("the certificate is not in PEM form");
  try {
    return pkijs.Certificate.fromBER(der);
  } catch (cause) {
    throw unusable("the certificate cannot be read", cause);
  }
}

async function readIssuer(certificate: pkijs.Certificate, key: Secret): Promise<Issuer> {
  const der = fromPem("PRIVATE KEY", key.reveal());
  if (der === undefined) throw unusable("the key is not in PEM form, unencrypted (PKCS#8)");
  let privateKey: CryptoKey;
  let publicKey: CryptoKey;
  try {
    privateKey = await crypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
    publicKey = await certificate.getPublicKey({
      algorithm: { algorithm: KEY_ALGORITHM, usages: ["verify"] },
    });
  } catch (cause) {
    throw unusable("its key is not an ECDSA key on P-256", cause);
  }
  if (!await belongTogether(privateKey, publicKey)) {
    throw unusable("the key is not that of the certificate");
  }
  if (!isAuthority(certificate)) throw unusable("the certificate is not an authority's");
  return { name: certificate.subject, keyIdentifier: ownKeyIdentifier(certificate), privateKey };
}

async function belongTogether(privateKey: CryptoKey, publicKey: CryptoKey): Promise<boolean> {
  const probe = new Uint8Array(32);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  try {
    const signature = await crypto.subtle.sign(algorithm, privateKey, probe);
    return await crypto.subtle.verify(algorithm, publicKey, signature, probe);
  } catch (cause) {
    // Deno takes keys whose numbers are impossible, and says so only when they are to be used.
    throw unusable("its key is not an ECDSA key on P-256", cause);
  }
}

function unusable(why: string, cause?: unknown): RatholeError {
  return new RatholeError("config", why, { cause });
}
