/**
 * Proxies as people run them: tinyproxy, squid, microsocks.
 *
 * @module
 */

import { join } from "node:path";
import type { Address } from "../../mod.ts";
import { type Child, startChild } from "./child.ts";
import { accepting } from "./doors.ts";
import { type Installed, installed, requireProgram } from "./installed.ts";
import { freePort } from "./ports.ts";

/** User and password that a proxy wants. */
export interface ProxyUser {
  readonly username: string;
  readonly password: string;
}

/** A proxy that runs, on a free port of 127.0.0.1. */
export interface RunningProxy extends AsyncDisposable {
  readonly address: Address;
  /** Ends it at once, and with it every connection through it. */
  stop(): Promise<void>;
}

/** A program that can be started as a proxy. */
export interface ProxyProgram extends Installed {
  readonly name: string;
  readonly scheme: "http" | "socks5";
  /** A user whom it can be told to want, and how the user stands in a URL. */
  readonly user: ProxyUser & { readonly userinfo: string };
  /** Starts it; resolves when it accepts connections. */
  start(user?: ProxyUser): Promise<RunningProxy>;
}

/** How a program is told its port and user: files to be written, and its arguments. */
type Setup = (options: {
  readonly port: number;
  readonly user: ProxyUser | undefined;
  /** A folder that the program may read, whichever user it runs as. */
  readonly folder: string;
}) => Promise<readonly string[]>;

async function tinyproxy({ port, user, folder }: Parameters<Setup>[0]): Promise<string[]> {
  const config = join(folder, "tinyproxy.conf");
  const auth = user === undefined ? "" : `BasicAuth ${user.username} ${user.password}\n`;
  await Deno.writeTextFile(
    config,
    `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 200\nAllow 127.0.0.1\n${auth}`,
  );
  return ["-d", "-c", config];
}

async function squid({ port, user, folder }: Parameters<Setup>[0]): Promise<string[]> {
  const config = join(folder, "squid.conf");
  let access = "http_access allow localhost\n";
  if (user !== undefined) {
    const { username, password } = user;
    const users = join(folder, "users");
    const hash = await output("openssl", ["passwd", "-1", password]);
    await Deno.writeTextFile(users, `${username}:${hash}\n`, { mode: 0o644 });
    access = `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}\n` +
      "auth_param basic children 1\nacl known proxy_auth REQUIRED\nhttp_access allow known\n";
  }
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `${access}http_access deny all`,
    "cache deny all",
    "cache_mem 8 MB",
    "access_log none",
    "cache_log /dev/null",
    "pid_filename none",
    "netdb_filename none",
    "pinger_enable off",
    "shutdown_lifetime 0 seconds",
    `coredump_dir ${folder}`,
  ];
  await Deno.writeTextFile(config, `${lines.join("\n")}\n`, { mode: 0o644 });
  return ["-N", "-d", "1", "-f", config];
}

// deno-lint-ignore require-await
async function microsocks({ port, user }: Parameters<Setup>[0]): Promise<string[]> {
  const auth = user === undefined ? [] : ["-u", user.username, "-P", user.password];
  return ["-i", "127.0.0.1", "-p", String(port), ...auth];
}

const PLAIN = { username: "me", password: "pass.word", userinfo: "m%65:p%61ss%2Eword" };
const SPECIAL = { username: "me", password: "p@ss:word", userinfo: "me:p%40ss%3Aword" };

/** All of them. What tinyproxy's file can say of passwords is letters, digits, `-`, `.` and `_`. */
export const PROXIES: readonly ProxyProgram[] = [
  await program("tinyproxy", "http", PLAIN, tinyproxy),
  await program("squid", "http", SPECIAL, squid),
  await program("microsocks", "socks5", SPECIAL, microsocks),
];

async function program(
  name: string,
  scheme: ProxyProgram["scheme"],
  user: ProxyProgram["user"],
  setup: Setup,
): Promise<ProxyProgram> {
  const found = await installed(name);
  const start = async (user?: ProxyUser): Promise<RunningProxy> => {
    const path = requireProgram(name, found);
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: `${name}-` });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    // squid, started as root, goes on as another user.
    await Deno.chmod(folder, 0o755);
    const address = { hostname: "127.0.0.1", port: freePort() };
    const args = await setup({ port: address.port, user, folder });
    const child = stack.use(startChild(path, { args }));
    await ready(child, address);
    const owned = stack.move();
    const stop = () => owned.disposeAsync();
    return { address, stop, [Symbol.asyncDispose]: stop };
  };
  return { ...found, name, scheme, user, start };
}

/** Resolves when a proxy accepts. @throws {Error} with what it printed, when it never does */
async function ready(child: Child, at: Address): Promise<void> {
  try {
    await accepting(at);
  } catch (error) {
    throw new Error(`the proxy does not accept connections; it printed:\n${child.text}`, {
      cause: error,
    });
  }
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args: [...args] }).output();
  return new TextDecoder().decode(stdout).trim();
}
