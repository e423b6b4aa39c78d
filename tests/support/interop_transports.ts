/**
 * Every transport as both programs can be told to use it: the rows of the interoperability table.
 *
 * @module
 */

import { join } from "node:path";
import { createAuthority } from "../../src/certificates/authority.ts";
import { generateKeyPair } from "../../src/cli/genkey.ts";
import type { PairOptions } from "./peer.ts";

/** What both ends are told, and what is to be removed when they have ended. */
export interface Settings extends AsyncDisposable {
  readonly options: PairOptions;
}

/** A row. */
export interface InteropTransport {
  /** Its name in the table. */
  readonly name: string;
  /** The value of `transport.type`. */
  readonly type: "tcp" | "tls" | "noise" | "websocket";
  /** Keys and certificates are made for each pair of programs. */
  settings(): Promise<Settings>;
}

/** All rows. */
export const TRANSPORTS: readonly InteropTransport[] = [
  { name: "tcp", type: "tcp", settings: () => Promise.resolve(plain("tcp")) },
  { name: "tls", type: "tls", settings: () => secured("tls", () => "") },
  noise("Noise_NK_25519_ChaChaPoly_BLAKE2s"),
  noise("Noise_XX_25519_AESGCM_SHA256"),
  noise("Noise_KK_25519_ChaChaPoly_SHA512"),
  noise("Noise_IK_25519_AESGCM_BLAKE2b"),
  noise("Noise_NK1_25519_ChaChaPoly_BLAKE2s"),
  noise("Noise_X1X1_25519_AESGCM_SHA512"),
  {
    name: "websocket",
    type: "websocket",
    settings: () => Promise.resolve(plain("websocket", (side) => websocket(side, false))),
  },
  {
    name: "websocket, tls",
    type: "websocket",
    settings: () => secured("websocket", (side) => websocket(side, true)),
  },
];

type Side = "server" | "client";

function plain(type: string, lines: (side: Side) => string = () => ""): Settings {
  const of = (side: Side) => `[${side}.transport]\ntype = "${type}"\n${lines(side)}`;
  const options = { server: of("server"), client: of("client") };
  return { options, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function websocket(side: Side, tls: boolean): string {
  return `[${side}.transport.websocket]\ntls = ${tls}\n`;
}

/** With the keys that the pattern takes on either side; in XX and its like, the server's is pinned. */
function noise(pattern: string): InteropTransport {
  const [, name = ""] = pattern.split("_");
  const settings = async () => {
    const keys = {
      server: await generateKeyPair("x25519"),
      client: await generateKeyPair("x25519"),
    };
    const clientHasKey = !name.startsWith("N");
    return plain("noise", (side) => {
      const other = side === "server" ? "client" : "server";
      const lines = [`[${side}.transport.noise]`, `pattern = "${pattern}"`];
      if (side === "server" || clientHasKey) {
        lines.push(`local_private_key = "${keys[side].privateKey.toBase64()}"`);
      }
      // A responder in *K* knows its initiator beforehand.
      if (side === "client" || name.startsWith("K")) {
        lines.push(`remote_public_key = "${keys[other].publicKey.toBase64()}"`);
      }
      return `${lines.join("\n")}\n`;
    });
  };
  return { name: `noise ${name}`, type: "noise", settings };
}

/** With a certificate for a name that only the configuration knows. */
async function secured(type: string, more: (side: Side) => string): Promise<Settings> {
  const folder = await Deno.makeTempDir({ prefix: "interop-" });
  const authority = await createAuthority();
  const server = await authority.issue({ usage: "server", hosts: ["tunnel.test"] });
  const [pkcs12, root] = [join(folder, "server.p12"), join(folder, "ca.pem")];
  await Deno.writeFile(pkcs12, await server.pkcs12("of the tests"));
  await Deno.writeTextFile(root, authority.certificatePem);
  const { options } = plain(
    type,
    (side) =>
      side === "server"
        ? `[server.transport.tls]\npkcs12 = "${pkcs12}"\npkcs12_password = "of the tests"\n${
          more(side)
        }`
        : `[client.transport.tls]\ntrusted_root = "${root}"\nhostname = "tunnel.test"\n${
          more(side)
        }`,
  );
  return {
    options: { ...options, read: [folder] },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
