/**
 * `rathole gen-cert`: certificates for the TLS transport, as files.
 *
 * A directory that has an authority already gets new certificates of it, so that nothing that
 * trusts it needs to be touched when the old ones end.
 *
 * @module
 */

import { type Authority, createAuthority, openAuthority } from "../certificates/authority.ts";
import { isHost, parseHost } from "../certificates/hosts.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import { Secret } from "../runtime/secret.ts";
import type { GenCertCommand } from "./arguments.ts";
import { describeCertificates } from "./gen_cert_report.ts";
import type { Io } from "./io.ts";

/** What making certificates needs of the outside. */
export type GenCertIo = Pick<Io, "readFile" | "makeDirectory" | "writeFile">;

/** Names of the files of the authority. */
const AUTHORITY = ["ca.pem", "ca.key"] as const;
/** Names of the files of what the authority has signed. */
const ISSUED = ["server.pem", "server.key", "server.p12", "client.pem", "client.key"] as const;

const PUBLIC = 0o644;
const PRIVATE = 0o600;
const LARGEST_FILE = 64 * 1024;

/**
 * Makes the files and returns what to tell the person who asked for them.
 *
 * @throws {RatholeError} `config` for a host that is none, files that are in the way or that cannot
 * be read or written; `permission` where the sandbox does not allow it
 */
export async function genCert(command: GenCertCommand, io: GenCertIo): Promise<string> {
  const { out, force } = command;
  const hosts = readHosts(command.hosts);
  const known = await readAuthority(out, io);
  if (!force) await refuseToReplace(out, io);
  const authority = known ?? await createAuthority();
  const server = await issue(authority, out, { usage: "server", hosts });
  const client = await issue(authority, out, { usage: "client" });
  const password = randomPassword();
  const pkcs12 = await server.pkcs12(password);

  const write = async (
    name: (typeof AUTHORITY | typeof ISSUED)[number],
    content: string | Secret | Uint8Array,
    mode = PRIVATE,
  ) => {
    const text = content instanceof Secret ? content.reveal() : content;
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    const replace = force && !AUTHORITY.some((kept) => kept === name);
    const path = pathOf(out, name);
    await attempt("write", out, path, () => io.writeFile(path, bytes, { mode, replace }));
  };
  await attempt("make", out, out, () => io.makeDirectory(out));
  if (known === undefined) {
    await write("ca.key", authority.privateKeyPem);
    await write("ca.pem", authority.certificatePem, PUBLIC);
  }
  await write("server.key", server.privateKeyPem);
  await write("server.pem", server.certificatePem, PUBLIC);
  await write("server.p12", pkcs12);
  await write("client.key", client.privateKeyPem);
  await write("client.pem", client.certificatePem, PUBLIC);
  return describeCertificates({
    path: (name) => pathOf(out, name),
    hosts,
    madeAuthority: known === undefined,
    authorityEnds: authority.notAfter,
    issuedEnd: server.notAfter,
    password,
  });
}

/** Each once, in the form that certificates have them. */
function readHosts(texts: readonly string[]): string[] {
  const hosts = texts.map((text) => {
    const host = parseHost(text);
    if (isHost(host)) return host.text;
    throw new RatholeError("config", `the host '${text}' ${host.problem}`);
  });
  return [...new Set(hosts)];
}

/** The authority of the directory; undefined when it has none. */
async function readAuthority(out: string, io: GenCertIo): Promise<Authority | undefined> {
  const [certificate, key] = AUTHORITY.map((name) => pathOf(out, name));
  if (certificate === undefined || key === undefined) return undefined;
  const certificatePem = await readIfThere(certificate, out, io);
  const privateKeyPem = await readIfThere(key, out, io);
  if (certificatePem === undefined && privateKeyPem === undefined) return undefined;
  if (certificatePem === undefined || privateKeyPem === undefined) {
    const [there, missing] = privateKeyPem === undefined ? [certificate, key] : [key, certificate];
    throw new RatholeError(
      "config",
      `'${there}' is there, but not '${missing}'; put it back to go on with this authority, or move ` +
        "the other one away to make a new one",
    );
  }
  try {
    return await openAuthority(certificatePem, new Secret(privateKeyPem));
  } catch (cause) {
    throw new RatholeError(
      "config",
      `cannot use the authority in '${certificate}' and '${key}': ${
        explain(cause)
      }; move both away ` +
        "to make a new one",
      { cause },
    );
  }
}

async function refuseToReplace(out: string, io: GenCertIo): Promise<void> {
  const there: string[] = [];
  for (const name of ISSUED) {
    if (await readIfThere(pathOf(out, name), out, io) !== undefined) there.push(name);
  }
  if (there.length === 0) return;
  throw new RatholeError(
    "config",
    `'${out}' has ${there.join(", ")} already; add --force to replace what it has for server and ` +
      "client (the authority stays), or name another directory",
  );
}

async function issue(
  authority: Authority,
  out: string,
  options: Parameters<Authority["issue"]>[0],
): ReturnType<Authority["issue"]> {
  if (authority.notAfter.getTime() >= Date.now()) return await authority.issue(options);
  throw new RatholeError(
    "config",
    `the authority in '${pathOf(out, "ca.pem")}' ended on ${
      day(authority.notAfter)
    }; move it and ` +
      "its key away to make a new one, and give the new ca.pem to all who trust it",
  );
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

async function readIfThere(path: string, out: string, io: GenCertIo): Promise<string | undefined> {
  return await attempt("read", out, path, async () => {
    try {
      return new TextDecoder().decode(await io.readFile(path, LARGEST_FILE));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
}

/** Does something to a file and says, where that fails, what was not possible and why. */
async function attempt<T>(
  verb: "read" | "write" | "make",
  out: string,
  path: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new RatholeError(
        "permission",
        `cannot ${verb} '${path}': the Deno sandbox does not allow it; run with deno run ` +
          `--allow-read=${out} --allow-write=${out} mod.ts gen-cert …, since an installed command ` +
          "keeps the permissions that it was installed with",
      );
    }
    throw new RatholeError("config", `cannot ${verb} '${path}': ${reason(cause)}`, { cause });
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "it is there already";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory, not a file";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is not a directory";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the operating system does not allow it; check its owner and mode";
  }
  return explain(error);
}

function pathOf(out: string, name: string): string {
  if (out === ".") return name;
  return /[/\\]$/.test(out) ? `${out}${name}` : `${out}/${name}`;
}

/** 144 bits in 24 letters, digits, - and _, which no file format or shell takes for anything else. */
function randomPassword(): Secret {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return new Secret(bytes.toBase64({ alphabet: "base64url" }));
}
