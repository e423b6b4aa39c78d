/**
 * Certificates made at test time, by the openssl command: it also makes what nobody should use
 * (expired ones, PKCS#12 of the legacy family).
 *
 * @module
 */

import { join } from "node:path";

/** What a certificate is to be like. */
export interface CertificateOptions {
  /** Subject alternative names; `DNS:localhost,IP:127.0.0.1` unless told otherwise. */
  readonly names?: string;
  /** Days from now at which it starts to be valid; a negative number is the past. */
  readonly from?: number;
  /** Days from now until which it is valid. */
  readonly until?: number;
  /** What it may be used for. */
  readonly usage?: "serverAuth" | "clientAuth";
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

  /** A CA; what it signs chains to it, by way of an intermediate one when `parent` is given. */
  async ca(name: string, parent?: Pem): Promise<Pem> {
    const extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign";
    return await this.#sign(name, extensions, parent, 0, 3650);
  }

  /** A certificate that a CA has signed. */
  async signed(by: Pem, options: CertificateOptions = {}): Promise<Pem> {
    const { names = "DNS:localhost,IP:127.0.0.1", usage = "serverAuth" } = options;
    const extensions = `subjectAltName=${names}\nextendedKeyUsage=${usage}`;
    const name = `leaf${++this.#count}`;
    return await this.#sign(name, extensions, by, options.from ?? 0, options.until ?? 365);
  }

  /** A PKCS#12 file. */
  async pkcs12(
    pem: Pem,
    password: string,
    { legacy = false, chain }: { legacy?: boolean; chain?: string } = {},
  ): Promise<string> {
    const path = this.path(`identity${++this.#count}.p12`);
    await openssl([
      "pkcs12",
      "-export",
      ...(legacy ? ["-legacy"] : []),
      ...["-in", pem.certificate, "-inkey", pem.private_key],
      ...(chain === undefined ? [] : ["-certfile", chain]),
      ...["-passout", `pass:${password}`, "-out", path],
    ]);
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

  async #sign(
    name: string,
    extensions: string,
    parent: Pem | undefined,
    from: number,
    until: number,
  ): Promise<Pem> {
    const [certificate, key, config] = ["pem", "key", "cnf"].map((it) =>
      this.path(`${name}.${it}`)
    );
    if (!certificate || !key || !config) throw new Error("unreachable");
    await Deno.writeTextFile(config, `[req]\ndistinguished_name=dn\n[dn]\n[ext]\n${extensions}\n`);
    const request = this.path(`${name}.csr`);
    await openssl([
      ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"],
      ...["-config", config, "-subj", `/CN=${name}`, "-keyout", key, "-out", request],
    ]);
    const signer = parent === undefined
      ? ["-selfsign", "-keyfile", key]
      : ["-cert", parent.certificate, "-keyfile", parent.private_key];
    // `ca` is the one command of OpenSSL 3.0 that takes both dates; it keeps a database.
    const database = this.path(`${name}.db`);
    await Deno.writeTextFile(database, "");
    await Deno.writeTextFile(
      config,
      `\n[ca]\ndefault_ca=it\n[it]\ndatabase=${database}\nnew_certs_dir=${this.folder}\n` +
        `rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
      { append: true },
    );
    await openssl([
      ...["ca", "-batch", "-notext", "-config", config, "-in", request, "-out", certificate],
      ...["-extensions", "ext", "-startdate", stamp(from), "-enddate", stamp(until), ...signer],
    ]);
    return { certificate, private_key: key };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

/** A moment some days from now; today means a little earlier, for clocks that differ. */
function stamp(days: number): string {
  const moment = new Date(Date.now() + days * 86_400_000 - 60_000);
  return moment.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
}

async function openssl(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl ${args.join(" ")}\n${new TextDecoder().decode(stderr)}`);
}
