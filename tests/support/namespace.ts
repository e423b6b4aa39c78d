/**
 * A network of a test's own: a network namespace joined to this machine by a pair of virtual
 * interfaces, whose link can be made lossy, narrow or dead without anybody else noticing.
 *
 * Needs root, and the Debian packages iproute2 and nftables. The kernels that run the tests have no
 * netem, so loss is nftables', narrowness a token bucket; delay is `slow_relay.ts`.
 *
 * @module
 */

import { join } from "node:path";
import { bothWays } from "./both_ways.ts";
import { type Child, startChild, textFile, withFile } from "./child.ts";
import { installed } from "./installed.ts";
import { peer } from "./peer.ts";

/** Every name starts so, followed by the process that made it: what a crash leaves is known by it. */
const PREFIX = "rathole-test-";
/** Where `ip netns exec` looks for files that take the place of /etc's. */
const FILES = "/etc/netns";
const TOOLS = ["ip", "tc", "nft"] as const;
let made = 0;

/** See the module. */
export class Namespace implements AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** The address of its own end. */
  readonly inside: string;
  /** The addresses of this machine's end. */
  readonly outside: readonly [string, string];
  readonly #near: string;
  readonly #far: string;

  private constructor(name: string, net: string, id: string) {
    this.name = name;
    this.outside = [`${net}.1`, `${net}.3`];
    this.inside = `${net}.2`;
    this.#near = `rt${id}a`;
    this.#far = `rt${id}b`;
  }

  /** Makes one, after removing what tests that crashed have left. */
  static async make(): Promise<Namespace> {
    await removeLeftOvers();
    for (let attempts = 5;; attempts--) {
      const id = `${Deno.pid}-${made++}`;
      const net = `10.${Math.floor(Math.random() * 100) + 100}.${Math.floor(Math.random() * 256)}`;
      const namespace = new Namespace(`${PREFIX}${id}`, net, id);
      try {
        await namespace.#setUp();
        return namespace;
      } catch (error) {
        await namespace[Symbol.asyncDispose]();
        // The network may be somebody's already.
        if (attempts === 1) throw error;
      }
    }
  }

  /** Starts a program in it. */
  start(program: string, args: readonly string[], env: Record<string, string> = {}): Child {
    return startChild("ip", { args: ["netns", "exec", this.name, program, ...args], env });
  }

  /** Starts `mod.ts` in it. */
  async startOurs(config: string): Promise<Child> {
    const file = await textFile(bothWays(config));
    const args = ["run", "--quiet", "--no-prompt", "--allow-net", "--allow-read"];
    const child = this.start(Deno.execPath(), [
      ...args,
      "--allow-env=RUST_LOG",
      "mod.ts",
      file.path,
    ], { RUST_LOG: "debug" });
    return withFile(child, file);
  }

  /** Starts rathole 0.5.0 in it. */
  async startPeer(config: string): Promise<Child> {
    if (peer === null) throw new Error("rathole 0.5.0 is not there; run scripts/peer.ts");
    const file = await textFile(config);
    return withFile(this.start(peer, [file.path], { RUST_LOG: "info" }), file);
  }

  /** Loses so many in a hundred of the packets that go to a TCP port of ours, and come from it. */
  async lose(percent: number, port: number): Promise<void> {
    const lost = `numgen random mod 100 < ${percent} counter drop`;
    await this.#rules([
      `add rule inet t in tcp sport ${port} ${lost}`,
      `add rule inet t out tcp dport ${port} ${lost}`,
    ]);
  }

  /** Packets that were lost so far. */
  async lost(): Promise<number> {
    const rules = await run("ip", ["netns", "exec", this.name, "nft", "list", "ruleset"]);
    return Array.from(rules.matchAll(/packets (\d+)/g), ([, count]) => Number(count))
      .reduce((sum, count) => sum + count, 0);
  }

  /** Loses all of them, in both directions, and tells nobody. */
  async goDark(): Promise<void> {
    await this.#rules(["add rule inet t in counter drop", "add rule inet t out counter drop"]);
  }

  /** Loses no more. */
  async heal(): Promise<void> {
    await this.#rules([]);
  }

  /** Lets no more through than `rate`, such as `8mbit`, in each direction. */
  async narrow(rate: string): Promise<void> {
    const shape = ["root", "tbf", "rate", rate, "burst", "16kb", "latency", "100ms"];
    await run("tc", ["qdisc", "replace", "dev", this.#near, ...shape]);
    await run("tc", ["-n", this.name, "qdisc", "replace", "dev", this.#far, ...shape]);
  }

  /** What names mean in it; programs that run see a change, as long as it was set before. */
  async setHosts(hosts: Readonly<Record<string, string>>): Promise<void> {
    await Deno.mkdir(join(FILES, this.name), { recursive: true });
    const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
    await Deno.writeTextFile(join(FILES, this.name, "hosts"), lines.join(""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.name);
  }

  async #setUp(): Promise<void> {
    const { inside, name, outside } = this;
    await run("ip", ["netns", "add", name]);
    const other = ["type", "veth", "peer", "name", this.#far, "netns", name];
    await run("ip", ["link", "add", this.#near, ...other]);
    for (const address of outside) {
      await run("ip", ["addr", "add", `${address}/29`, "dev", this.#near]);
    }
    await run("ip", ["link", "set", this.#near, "up"]);
    await run("ip", ["-n", name, "addr", "add", `${inside}/29`, "dev", this.#far]);
    await run("ip", ["-n", name, "link", "set", this.#far, "up"]);
    await run("ip", ["-n", name, "link", "set", "lo", "up"]);
    // One packet a segment: else a loss is of 64 KiB at once, and there are hardly any.
    await run("ip", ["link", "set", this.#near, "gso_max_segs", "1"]);
    await run("ip", ["-n", name, "link", "set", this.#far, "gso_max_segs", "1"]);
    await this.#rules([]);
  }

  async #rules(rules: readonly string[]): Promise<void> {
    const all = [
      "add table inet t",
      "delete table inet t",
      "add table inet t",
      "add chain inet t in { type filter hook input priority 0; }",
      "add chain inet t out { type filter hook output priority 0; }",
      ...rules,
    ];
    await run("ip", ["netns", "exec", this.name, "nft", all.join("\n")]);
  }
}

async function removeLeftOvers(): Promise<void> {
  const list = await run("ip", ["netns", "list"]);
  for (const [name, pid] of list.matchAll(new RegExp(`^${PREFIX}(\\d+)-\\d+`, "gm"))) {
    const lives = await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
    if (!lives) await remove(name);
  }
}

/** Its end of the link goes with it, and so does ours. */
async function remove(name: string): Promise<void> {
  await attempt("ip", ["netns", "delete", name]);
  await Deno.remove(join(FILES, name), { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, output } = await attempt(program, args);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${output}`);
  return output;
}

async function attempt(program: string, args: readonly string[]) {
  const command = new Deno.Command(program, { args: [...args], stdin: "null", env: { PATH } });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(success ? stdout : stderr) };
}

const PATH = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;

/** Why tests with namespaces cannot be run here; undefined where they can. */
async function obstacle(): Promise<string | undefined> {
  for (const tool of TOOLS) {
    if ((await installed(tool)).path === null) return `no ${tool} here`;
  }
  try {
    await using _namespace = await Namespace.make();
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${error instanceof Error ? error.message.trim() : error}`;
  }
}

const why = await obstacle();

/** What the name of a test says when it is not run. */
export const missing: string = why === undefined ? "" : ` (not run: ${why})`;
/** Whether tests with namespaces are not to be run: never in CI, where that is a failure. */
export const ignore: boolean = why !== undefined && Deno.env.get("CI") !== "true";
