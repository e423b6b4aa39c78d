/**
 * Every example runs: its two ends as they are written, but for addresses of this machine in place
 * of those that an example has to invent, and files where its comments have them made.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { join } from "node:path";
import {
  type Address,
  type ClientConfig,
  type Config,
  parseConfig,
  type ServerConfig,
  startClient,
  startServer,
} from "../mod.ts";
import { configuredAddress, formatAddress } from "../src/runtime/address.ts";
import { Secret } from "../src/runtime/secret.ts";
import { ROOT } from "./support/child.ts";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { bytesOf, digest, echoed, echoService, noise } from "./support/local_services.ts";
import { nginx, runNginx } from "./support/nginx.ts";
import { eventually } from "./support/patience.ts";
import { PROXIES } from "./support/proxies.ts";

const EXAMPLES = new URL("examples/", ROOT);
const ANY_PORT = "127.0.0.1:0";
const [microsocks] = PROXIES.filter(({ scheme }) => scheme === "socks5");
ok(microsocks);

/** What examples need of other projects. */
const NEEDS: Readonly<Record<string, { missing: string; ignore: boolean }>> = {
  behind_nginx: nginx,
  use_proxy: microsocks,
};

for (const { name, isDirectory } of Deno.readDirSync(EXAMPLES)) {
  if (!isDirectory) continue;
  const { missing = "", ignore = false } = NEEDS[name] ?? {};
  Deno.test(`examples/${name} runs as written${missing}`, { ignore }, async () => {
    await using all = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "rathole-example-" });
    all.defer(() => Deno.remove(folder, { recursive: true }));
    const example = new URL(`${name}/`, EXAMPLES);
    const { client, server, text } = await read(example);
    await follow(text, folder);
    const local = {
      tcp: all.use(echoService()).address,
      udp: all.use(await udpEcho()).address,
    };

    const running = all.use(await startServer(here(server, folder)));
    let at = running.address;
    if (name === "behind_nginx") {
      const conf = await Deno.readTextFile(new URL("nginx.conf", example));
      await make("example.com", join(folder, "certs"));
      at = all.use(await runNginx((at) => asHere(conf, at, running.address, folder))).address;
    }
    const proxy = client.transport.tcp.proxy === undefined
      ? undefined
      : all.use(await microsocks.start()).address;
    all.use(await startClient(there(client, { at, folder, local, proxy, name })));

    const status = await eventually(
      "all services to listen",
      () => running.status().services,
      (services) => services.every(({ address }) => address !== undefined),
    );
    for (const { address, type } of status) {
      ok(address);
      if (type === "tcp") {
        const question = noise(300_000);
        // Without an end of the visitor's direction, which proxies do not pass on.
        equal(await digest(await echoed(address, question)), await digest(question));
      } else {
        await using visitor = await udpSocket();
        deepEqual(await askDatagram(visitor, bytesOf("hello"), address), bytesOf("hello"));
      }
    }
  });
}

/** Both ends, and all that is written. */
async function read(example: URL) {
  let text = "";
  const found: Config[] = [];
  for await (const { name } of Deno.readDir(example)) {
    if (!name.endsWith(".toml")) continue;
    const written = await Deno.readTextFile(new URL(name, example));
    text += written;
    found.push(parseConfig(written).config);
  }
  const server = found.find((config) => config.server !== undefined)?.server;
  const client = found.find((config) => config.client !== undefined)?.client;
  ok(server !== undefined && client !== undefined);
  return { server, client, text };
}

/** Makes the certificates that a comment has made. */
async function follow(text: string, folder: string): Promise<void> {
  const [, host, out = ""] = /rathole gen-cert (\S+) --out (\S+)/.exec(text) ?? [];
  if (host !== undefined) await make(host, join(folder, out));
}

async function make(host: string, out: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-read=${out}`, `--allow-write=${out}`, "mod.ts"]
      .concat("gen-cert", host, "--out", out),
    cwd: ROOT,
    stdout: "null",
  }).output();
  ok(success, new TextDecoder().decode(stderr));
}

/** A server's configuration with addresses and paths of this machine. */
function here(config: ServerConfig, folder: string): ServerConfig {
  const services = Array.from(
    config.services,
    ([name, service]) => [name, { ...service, bind_addr: ANY_PORT }] as const,
  );
  return {
    ...config,
    bind_addr: ANY_PORT,
    services: new Map(services),
    transport: withPaths(config.transport, folder),
  };
}

interface There {
  readonly name: string;
  /** Where the server, or what stands before it, listens. */
  readonly at: Address;
  readonly folder: string;
  readonly local: Readonly<Record<"tcp" | "udp", Address>>;
  readonly proxy: Address | undefined;
}

/** A client's configuration with addresses and paths of this machine. */
function there(config: ClientConfig, { at, folder, local, name, proxy }: There): ClientConfig {
  const services = Array.from(
    config.services,
    ([name, service]) =>
      [name, { ...service, local_addr: formatAddress(local[service.type]) }] as const,
  );
  const { hostname } = configuredAddress(config.remote_addr);
  const transport = withPaths(config.transport, folder);
  const ca = name === "behind_nginx" ? { trusted_root: join(folder, "certs", "ca.pem") } : {};
  return {
    ...config,
    remote_addr: formatAddress(at),
    services: new Map(services),
    transport: {
      ...transport,
      tls: transport.tls && { hostname, ...transport.tls, ...ca },
      tcp: {
        ...transport.tcp,
        ...(proxy === undefined ? {} : { proxy: new Secret(`socks5://${formatAddress(proxy)}`) }),
      },
    },
  };
}

function withPaths(
  transport: ServerConfig["transport"],
  folder: string,
): ServerConfig["transport"] {
  if (transport.tls === undefined) return transport;
  const { certificate, client_ca, private_key, trusted_root, ...rest } = transport.tls;
  const paths = Object.entries({ certificate, client_ca, private_key, trusted_root })
    .flatMap(([key, path]) => path === undefined ? [] : [[key, join(folder, path)]]);
  return { ...transport, tls: { ...rest, ...Object.fromEntries(paths) } };
}

/** The example's nginx.conf with addresses and paths of this machine. */
function asHere(conf: string, at: Address, server: Address, folder: string): string {
  return conf
    .replace("listen 443 ssl", `listen ${formatAddress(at)} ssl`)
    .replace("127.0.0.1:2333", formatAddress(server))
    .replace(/ssl_certificate \S+;/, `ssl_certificate ${folder}/certs/server.pem;`)
    .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${folder}/certs/server.key;`);
}
