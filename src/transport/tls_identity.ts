/**
 * From the contents of certificate files to what TLS is given, and what is wrong with them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createServer, type Server as TlsServer } from "node:tls";
import type { TlsConfig } from "../config/types.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Contents } from "./tls_files.ts";
import { receive } from "./tls_receive.ts";

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g;

/**
 * None: whoever accepts has a deadline of its own. The engine's would keep 12 KB of every handshake
 * until it is reached, also of those long given up, for a stranger to pile up. (0 is 120 s to it.)
 */
const HANDSHAKE_TIMEOUT = -1;

/** A certificate with its chain, and its key, in PEM. */
export interface Identity {
  /** The certificate, then those that lead to its root. */
  readonly certificate: string;
  /** The private key, unencrypted. */
  readonly key: string;
}

/** The paths a server's configuration names, in a fixed order. */
export function serverFiles(config: TlsConfig): string[] {
  const { certificate, client_ca, pkcs12, private_key } = config;
  const own = pkcs12 === undefined ? [certificate, private_key] : [pkcs12];
  return [...own, client_ca].filter((path) => path !== undefined);
}

/** The paths a client's configuration names, in a fixed order. */
export function clientFiles(config: TlsConfig): string[] {
  const { certificate, private_key, trusted_root } = config;
  return [trusted_root, certificate, private_key].filter((path) => path !== undefined);
}

/**
 * A server of `node:tls` that is given its connections, and never listens itself. It holds the
 * identity and judges clients' certificates.
 *
 * @throws {RatholeError} `config`, naming the file and what to do about it.
 */
export function buildServer(config: TlsConfig, contents: Contents): TlsServer {
  const { client_ca, pkcs12 } = config;
  const own = pkcs12 === undefined
    ? pemOptions(readIdentity(config, contents))
    : { pfx: bufferOf(contents, pkcs12), passphrase: config.pkcs12_password?.reveal() ?? "" };
  const ca = client_ca === undefined ? undefined : readCertificates(contents, client_ca);
  let server;
  try {
    server = createServer({
      ...own,
      ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }),
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    });
  } catch (cause) {
    if (pkcs12 === undefined) throw cause;
    throw pkcs12Error(pkcs12, config, cause);
  }
  prove(server, pkcs12 ?? config.private_key);
  return server;
}

/** The engine looks at key and certificate only when a connection comes: so let one come. */
function prove(server: TlsServer, path: string | undefined): void {
  const nobody = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  let failure: unknown;
  receive(server, nobody, { secured() {}, failed: (error) => failure = error });
  nobody.destroy();
  if (failure === undefined) return;
  const message = `TLS cannot use the key in "${path}" with its certificate: they must belong ` +
    "together, and the key be RSA of 2048 bits or more, ECDSA (P-256, P-384) or Ed25519";
  throw new RatholeError("config", message, { cause: failure });
}

function pemOptions({ certificate, key }: Identity) {
  return { cert: certificate, key };
}

/** A certificate and its key, checked against each other. @throws {RatholeError} `config` */
export function readIdentity(config: TlsConfig, contents: Contents): Identity {
  const { certificate: path, private_key: keyPath } = config;
  if (path === undefined || keyPath === undefined) {
    throw new RatholeError("config", "transport.tls needs certificate and private_key, both");
  }
  const chain = readCertificates(contents, path);
  const key = textOf(contents, keyPath);
  const [own = ""] = chain;
  const leaf = new X509Certificate(own);
  if (!leaf.checkPrivateKey(readKey(keyPath, key))) {
    throw new RatholeError(
      "config",
      `the key in "${keyPath}" does not belong to the certificate in "${path}"; ` +
        "the certificate must be the file's first, and both files of one pair",
    );
  }
  return { certificate: chain.join("\n"), key };
}

function readKey(path: string, text: string): KeyObject {
  if (/ENCRYPTED/.test(text)) {
    throw new RatholeError(
      "config",
      `the key in "${path}" is encrypted; decrypt it: openssl pkey -in ${path} -out NEW`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const message = `"${path}" has no usable private key in PEM (BEGIN PRIVATE KEY)`;
    throw new RatholeError("config", message, { cause });
  }
}

/** Every certificate in a PEM file, each one whole. @throws {RatholeError} `config` */
export function readCertificates(contents: Contents, path: string): string[] {
  const found = textOf(contents, path).match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    const message = `"${path}" has no certificate in PEM (BEGIN CERTIFICATE) in it`;
    throw new RatholeError("config", message);
  }
  for (const [i, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      const message = `certificate ${i + 1} in "${path}" is damaged: ${explain(cause)}`;
      throw new RatholeError("config", message, { cause });
    }
  }
  return found;
}

function pkcs12Error(path: string, config: TlsConfig, cause: unknown): RatholeError {
  const text = explain(cause);
  const password = config.pkcs12_password === undefined || config.pkcs12_password.reveal() === ""
    ? "pkcs12_password is missing or empty, and the file has another"
    : "pkcs12_password is not the file's";
  const because = /mac|password|decrypt/i.test(text)
    ? password
    : /private key/i.test(text)
    ? "it has no private key in it; export it with -inkey"
    : `it is not a PKCS#12 file, or damaged (${text})`;
  return new RatholeError("config", `cannot open "${path}": ${because}`, { cause });
}

function bufferOf(contents: Contents, path: string): Buffer {
  return Buffer.from(contents.get(path) ?? new Uint8Array(0));
}

function textOf(contents: Contents, path: string): string {
  return bufferOf(contents, path).toString("latin1");
}
