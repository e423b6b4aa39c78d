/**
 * rathole 0.5.0, the Rust program, at one end of a tunnel.
 *
 * @module
 */

import { findPeer } from "../../scripts/peer.ts";
import type { Address } from "../../mod.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { type Child, startChild, startProgram, textFile, withFile } from "./child.ts";
import { accepting } from "./doors.ts";
import { freePort } from "./ports.ts";

/** The program's path; null when it has not been built. */
export const peer: string | null = await findPeer();

/** What the name of a test says when it is not run. */
export const missing: string = peer === null
  ? " (not run: no rathole 0.5.0, build it with scripts/peer.ts)"
  : "";

/** Whether tests against it are not to be run: never in CI, where a missing one is a failure. */
export const ignore: boolean = peer === null && Deno.env.get("CI") !== "true";

/** Whose program. */
export type Maker = "ours" | "rust";

/** Which program stands at each end. */
export interface Pairing {
  readonly server: Maker;
  readonly client: Maker;
}

/** The pairings of one program of ours and one of theirs. */
export const PAIRINGS: readonly Pairing[] = [
  { server: "ours", client: "rust" },
  { server: "rust", client: "ours" },
];

/** A service of a pair: what is behind it. */
export interface PairService {
  readonly local: Address;
  readonly type?: "tcp" | "udp";
}

/** What differs from the usual. */
export interface PairOptions {
  /** Whether both ends read the same file, told by a flag which end they are. */
  readonly unified?: boolean;
  /** Lines of `[server]`. */
  readonly server?: string;
  /** Lines of `[client]`. */
  readonly client?: string;
  /** Lines of every service of the client. */
  readonly clientService?: string;
  /** Files and folders that ours may read besides its configuration. */
  readonly read?: readonly string[];
  /** Variables of the environment of ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Two programs with a tunnel between them. */
export interface Pair extends AsyncDisposable {
  readonly server: Child;
  readonly client: Child;
  /** Runs a test's body; where it fails, the message shows what the programs printed. */
  check<T>(body: (door: (name: string) => Address) => Promise<T>): Promise<T>;
  /** Kills one end with SIGKILL, or as told, and starts it again. */
  restart(end: keyof Pairing, signal?: Deno.Signal): Promise<void>;
}

/** What both programs print once a client is there, on either side. */
export const ESTABLISHED = /Control channel established/i;

/** Starts both programs; resolves when all services can be visited. */
export async function startPair(
  pairing: Pairing,
  services: Readonly<Record<string, PairService>>,
  options: PairOptions = {},
): Promise<Pair> {
  const pair = await startUnestablished(pairing, services, options);
  try {
    await pair.check(() => pair.ready());
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
  return pair;
}

/** Starts both programs; resolves when the server listens. */
export async function startUnestablished(
  pairing: Pairing,
  services: Readonly<Record<string, PairService>>,
  options: PairOptions = {},
): Promise<Pair & { ready(): Promise<void> }> {
  for (let attempts = 3;; attempts--) {
    try {
      return await startOnce(pairing, services, options);
    } catch (error) {
      // Somebody else may have taken the port since it was looked for.
      if (attempts === 1 || !/in use/i.test(`${error}`)) throw error;
    }
  }
}

async function startOnce(
  pairing: Pairing,
  services: Readonly<Record<string, PairService>>,
  options: PairOptions,
): Promise<Pair & { ready(): Promise<void> }> {
  const at = { hostname: "127.0.0.1", port: freePort() };
  const doors = new Map(
    Object.keys(services).map((name) => [name, { hostname: "127.0.0.1", port: freePort() }]),
  );
  const door = (name: string) => {
    const found = doors.get(name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  };
  const config = configOf(at, services, door, options);
  const start = async (end: keyof Pairing) => {
    const child = await startEnd(
      pairing[end],
      options.unified === true ? config.server + config.client : config[end],
      options.unified === true ? [`--${end}`] : [],
      options.read,
      options.env,
    );
    if (end === "client") return child;
    try {
      await child.until(/INFO rathole::server: Listening/);
      return child;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  };
  const running = { server: await start("server"), client: await start("client") };
  const stop = async () => {
    await running.client[Symbol.asyncDispose]();
    await running.server[Symbol.asyncDispose]();
  };
  return {
    get server() {
      return running.server;
    },
    get client() {
      return running.client;
    },
    async ready() {
      await running.client.until(ESTABLISHED);
      for (const [name, { type }] of Object.entries(services)) {
        if (type !== "udp") await accepting(door(name));
      }
    },
    async check(body) {
      try {
        return await body(door);
      } catch (cause) {
        const why = cause instanceof Error ? cause.stack ?? cause.message : cause;
        const { server, client } = running;
        const logs = `--- server\n${server.text}\n--- client\n${client.text}`;
        throw new Error(`${why}\n${logs}`, { cause });
      }
    },
    async restart(end, signal = "SIGKILL") {
      running[end].kill(signal);
      await running[end].ended();
      await running[end][Symbol.asyncDispose]();
      running[end] = await start(end);
    },
    [Symbol.asyncDispose]: stop,
  };
}

function configOf(
  at: Address,
  services: Readonly<Record<string, PairService>>,
  door: (name: string) => Address,
  { server = "", client = "", clientService = "" }: PairOptions,
): Record<keyof Pairing, string> {
  const texts = {
    server: `[server]\nbind_addr = "${formatAddress(at)}"\ndefault_token = "t"\n${server}\n`,
    client: `[client]\nremote_addr = "${formatAddress(at)}"\ndefault_token = "t"\n${client}\n`,
  };
  for (const [name, { local, type = "tcp" }] of Object.entries(services)) {
    const key = JSON.stringify(name);
    texts.server += `[server.services.${key}]\ntype = "${type}"\n` +
      `bind_addr = "${formatAddress(door(name))}"\n`;
    texts.client += `[client.services.${key}]\ntype = "${type}"\n` +
      `local_addr = "${formatAddress(local)}"\n${clientService}\n`;
  }
  return texts;
}

/** Theirs, or ours as production would run it. */
function startEnd(
  which: Maker,
  config: string,
  args: readonly string[],
  read: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  if (which === "rust") return startPeer(config, args);
  const allow = ["--allow-net=127.0.0.1", ...read.map((path) => `--allow-read=${path}`)];
  return startProgram({ config, args, allow, env, log: "debug" });
}

async function startPeer(config: string, args: readonly string[]): Promise<Child> {
  if (peer === null) throw new Error("rathole 0.5.0 is not there; run scripts/peer.ts");
  const file = await textFile(config);
  const child = startChild(peer, { args: [file.path, ...args], env: { RUST_LOG: "info" } });
  return withFile(child, file);
}
