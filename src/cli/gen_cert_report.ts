/**
 * What `rathole gen-cert` prints: which files there are now, and what to write into which
 * configuration.
 *
 * @module
 */

import type { Secret } from "../runtime/secret.ts";
import { escapeInJson, escapeUnprintable } from "./escape.ts";

/** What was made. */
export interface CertificatesMade {
  /** The path of a file by its name. */
  path(name: string): string;
  /** What the server's certificate is for. */
  readonly hosts: readonly string[];
  /** Whether the authority is new. */
  readonly madeAuthority: boolean;
  /** The authority's last second. */
  readonly authorityEnds: Date;
  /** The last second of the server's and the client's certificate. */
  readonly issuedEnd: Date;
  /** What opens the PKCS#12 file. Printed here and never again. */
  readonly password: Secret;
}

/** The text, which is the only place that ever has the password. */
export function describeCertificates(made: CertificatesMade): string {
  const hosts = made.hosts.join(" and ");
  const [authorityEnds, issuedEnd] = [day(made.authorityEnds), day(made.issuedEnd)];
  const beginning = made.madeAuthority
    ? `Made a certificate authority, and by it certificates for ${hosts}`
    : `Made certificates for ${hosts}, by the authority that was there`;
  const files = [
    ["ca.pem", `certificate of the authority, until ${authorityEnds}`],
    ["ca.key", "its key, SECRET: whoever has it can pose as your server"],
    ["server.pem", `certificate of the server, until ${issuedEnd}`],
    ["server.key", "its key, SECRET"],
    ["server.p12", "both of the server in one file, SECRET, for rathole 0.5.0"],
    ["client.pem", `certificate of the client, until ${issuedEnd}`],
    ["client.key", "its key, SECRET"],
  ].map(([name = "", meaning = ""]) => [escapeUnprintable(made.path(name)), meaning] as const);
  const width = Math.max(...files.map(([path]) => path.length));
  const list = files.map(([path, meaning]) => `  ${path.padEnd(width)}  ${meaning}\n`).join("");
  const toml = (name: string) => escapeInJson(JSON.stringify(made.path(name)));
  return `${beginning}:

${list}
Neither machine needs ca.key: keep it apart, for new certificates before these
end. Then run the same command again with --force; nothing but the server's and
the client's files changes, and clients go on trusting the server.

Copy ca.pem and the server's files to the server, ca.pem and the client's to the
client, and write into their configurations, with the paths they have there:

# server
[server.transport]
type = "tls"

[server.transport.tls]
certificate = ${toml("server.pem")}
private_key = ${toml("server.key")}
client_ca = ${toml("ca.pem")}  # clients must show a certificate

# client; its remote_addr must have a host from above, or add hostname = "…"
[client.transport]
type = "tls"

[client.transport.tls]
trusted_root = ${toml("ca.pem")}
certificate = ${toml("client.pem")}
private_key = ${toml("client.key")}

Where the client is rathole 0.5.0, which has no certificates for clients, leave
client_ca out on the server, and certificate and private_key on the client.
Where the server is rathole 0.5.0, write this instead; the password is not shown
again:

# server, rathole 0.5.0
[server.transport]
type = "tls"

[server.transport.tls]
pkcs12 = ${toml("server.p12")}
pkcs12_password = "${made.password.reveal()}"
`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
