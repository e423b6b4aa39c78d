/**
 * Certificates made at test time, by the program's own authority where it can make them.
 *
 * @module
 */

import { join } from "node:path";
import {
  createAuthority,
  type IssuedIdentity,
  openAuthority,
  type PemPair,
} from "../../src/certificates/authority.ts";
import { Secret } from "../../src/runtime/secret.ts";
import { mustOpenssl } from "./openssl.ts";

const DAY = 86_400_000;

/** What a certificate is to be like. */
export interface CertificateOptions {
  /** Names and IP addresses; `localhost` and `127.0.0.1` unless told otherwise. */
  readonly hosts?: readonly string[];
  /** Days from now at which it starts to be valid; a negative number is the past. */
  readonly from?: number;
  /** Days from now until which it is valid. */
  readonly until?: number;
  /** Which end shows it. */
  readonly usage?: "server" | "client";
}

/** A certificate and its key: paths of PEM files. */
export interface Pem {
  readonly certificate: string;
  readonly private_key: string;
}

/** A folder of certificates, removed in the end. */
export class Certificates implements AsyncDisposable {
  readonly folder: string;
  #count = 0;
  /** What was issued, by the path of its certificate: a PKCS#12 file is made of it. */
  readonly #issued = new Map<string, IssuedIdentity>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Certificates> {
    return new Certificates(await Deno.makeTempDir({ prefix: "rathole-tls-" }));
  }

  /** A path in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** A CA that nobody has signed. */
  async ca(name: string): Promise<Pem> {
    return await this.#put(name, await createAuthority({ name }));
  }

  /** A CA that another one has signed; openssl is needed for it. */
  async intermediate(name: string, parent: Pem): Promise<Pem> {
    const [certificate, key, request, extensions] = ["pem", "key", "csr", "cnf"].map((it) =>
      this.path(`${name}.${it}`)
    );
    if (!certificate || !key || !request || !extensions) throw new Error("unreachable");
    await Deno.writeTextFile(
      extensions,
      "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" +
        "subjectKeyIdentifier=hash\n",
    );
    await mustOpenssl(
      ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"],
      ...["-subj", `/CN=${name}`, "-keyout", key, "-out", request],
    );
    await mustOpenssl(
      ...["x509", "-req", "-in", request, "-days", "99", "-extfile", extensions],
      ...["-CA", parent.certificate, "-CAkey", parent.private_key, "-CAcreateserial"],
      ...["-out", certificate],
    );
    return { certificate, private_key: key };
  }

  /** A certificate that a CA has signed. */
  async signed(by: Pem, options: CertificateOptions = {}): Promise<Pem> {
    const { hosts = ["localhost", "127.0.0.1"], from = 0, until = 365, usage = "server" } = options;
    const [certificate, key] = await Promise.all(
      [by.certificate, by.private_key].map((path) => Deno.readTextFile(path)),
    );
    const authority = await openAuthority(certificate ?? "", new Secret(key ?? ""));
    const issued = await authority.issue({
      usage,
      hosts: usage === "server" ? hosts : [],
      // A little earlier, for what has no time of day but "today".
      notBefore: new Date(Date.now() + from * DAY - 60_000),
      notAfter: new Date(Date.now() + until * DAY - 60_000),
    });
    const pem = await this.#put(`leaf${++this.#count}`, issued);
    this.#issued.set(pem.certificate, issued);
    return pem;
  }

  /** A PKCS#12 file of what {@linkcode Certificates.signed} made. */
  async pkcs12({ certificate }: Pem, password: string): Promise<string> {
    const issued = this.#issued.get(certificate);
    if (issued === undefined) throw new Error(`${certificate} was not made here`);
    const path = this.path(`identity${++this.#count}.p12`);
    await Deno.writeFile(path, await issued.pkcs12(password));
    return path;
  }

  /** A PKCS#12 file with a chain, of the modern or the legacy family; openssl is needed for it. */
  async pkcs12ByOpenssl(
    pem: Pem,
    password: string,
    { legacy, chain }: { readonly legacy: boolean; readonly chain: string },
  ): Promise<string> {
    const path = this.path(`identity${++this.#count}.p12`);
    await mustOpenssl(
      ...["pkcs12", "-export", ...(legacy ? ["-legacy"] : [])],
      ...["-in", pem.certificate, "-inkey", pem.private_key, "-certfile", chain],
      ...["-passout", `pass:${password}`, "-out", path],
    );
    return path;
  }

  /** A file with other files' text, one after another. */
  async joined(...paths: string[]): Promise<string> {
    const texts = await Promise.all(paths.map((path) => Deno.readTextFile(path)));
    return await this.file(texts.join(""));
  }

  /** A file with this text. */
  async file(text: string, name = `file${++this.#count}.pem`): Promise<string> {
    await Deno.writeTextFile(this.path(name), text);
    return this.path(name);
  }

  async #put(name: string, { certificatePem, privateKeyPem }: PemPair): Promise<Pem> {
    return {
      certificate: await this.file(certificatePem, `${name}.pem`),
      private_key: await this.file(privateKeyPem.reveal(), `${name}.key`),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}
