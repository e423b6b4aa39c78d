/**
 * A network that loses packets: this machine, a router, and a far end, the latter two in network
 * namespaces. Packets are dropped where the router forwards them, since a sender is told of those
 * that its own machine drops, and would not miss them. Loopback loses nothing, here and there.
 *
 * @module
 */

import type { Processes } from "./processes.ts";
import { adviceOn, type Programs, requireProgram } from "./programs.ts";

/** Names begin so, followed by the process that made it: what a crash leaves is known by it. */
const PREFIX = "rathole-bench-";
/** How often other addresses are tried, since a network may be somebody's already. */
const ATTEMPTS = 3;
let made = 0;

/** See the module. */
export class LossyNetwork implements AsyncDisposable {
  /** This machine's address in it. */
  readonly near: string;
  /** What a command begins with that is to run at the far end. */
  readonly inside: readonly string[];
  readonly #processes: Processes;
  readonly #ip: string;
  readonly #nft: string;
  readonly #router: string;
  readonly #far: string;
  /** The interfaces: this machine's, the router's two, and the far end's. */
  readonly #links: readonly [string, string, string, string];
  readonly #net: string;

  private constructor(processes: Processes, programs: Programs) {
    const id = `${Deno.pid}-${made++ % 1000}`;
    const pick = (count: number) => Math.floor(Math.random() * count);
    this.#processes = processes;
    this.#ip = requireProgram("ip", programs);
    this.#nft = requireProgram("nft", programs);
    this.#router = `${PREFIX}${id}-router`;
    this.#far = `${PREFIX}${id}-far`;
    // At most 15 characters.
    const [a, b, c, d] = ["a", "b", "c", "d"].map((end) => `b${id}${end}`) as [
      string,
      string,
      string,
      string,
    ];
    this.#links = [a, b, c, d];
    this.#net = `10.${100 + pick(100)}.${pick(256)}`;
    this.near = `${this.#net}.1`;
    this.inside = [this.#ip, "netns", "exec", this.#far];
  }

  /** Makes one that loses so many packets of a hundred, in each direction. */
  static async make(
    processes: Processes,
    programs: Programs,
    percent: number,
  ): Promise<LossyNetwork> {
    for (let attempt = 1;; attempt++) {
      const network = new LossyNetwork(processes, programs);
      try {
        await network.#setUp(percent);
        return network;
      } catch (error) {
        await network[Symbol.asyncDispose]();
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Their ends of the links go with the namespaces, and so does ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeNamespaces(this.#processes, this.#ip, [this.#far, this.#router]);
  }

  async #setUp(percent: number): Promise<void> {
    const [router, far, net] = [this.#router, this.#far, this.#net];
    const [a, b, c, d] = this.#links;
    const commands = [
      `netns add ${router}`,
      `netns add ${far}`,
      `link add ${a} type veth peer name ${b} netns ${router}`,
      `-n ${router} link add ${c} type veth peer name ${d} netns ${far}`,
      `addr add ${net}.1/30 dev ${a}`,
      `-n ${router} addr add ${net}.2/30 dev ${b}`,
      `-n ${router} addr add ${net}.5/30 dev ${c}`,
      `-n ${far} addr add ${net}.6/30 dev ${d}`,
      // One packet a segment: else a loss is of 64 KiB at once, and there are hardly any.
      `link set ${a} up gso_max_segs 1`,
      `-n ${router} link set ${b} up`,
      `-n ${router} link set ${c} up`,
      `-n ${far} link set ${d} up gso_max_segs 1`,
      `-n ${far} link set lo up`,
      `-n ${far} route add default via ${net}.5`,
      `route add ${net}.4/30 via ${net}.2`,
    ];
    for (const command of commands) await this.#run([this.#ip, ...command.split(" ")]);
    const inRouter = [this.#ip, "netns", "exec", router];
    await this.#run([...inRouter, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    const rules = [
      "add table inet t",
      "add chain inet t passing { type filter hook forward priority 0; }",
      `add rule inet t passing numgen random mod 100 < ${percent} counter drop`,
    ];
    await this.#run([...inRouter, this.#nft, rules.join("\n")]);
  }

  #run(command: readonly string[]): Promise<string> {
    return this.#processes.output(command, 10_000);
  }
}

/** Why there can be none here; undefined where there can. Removes what crashed runs have left. */
export async function obstacleToLoss(
  processes: Processes,
  programs: Programs,
): Promise<string | undefined> {
  const advice = adviceOn(["ip", "nft"], programs);
  if (advice.length > 0) return advice.join("; ");
  try {
    await removeLeftOvers(processes, requireProgram("ip", programs));
    await using _network = await LossyNetwork.make(processes, programs, 1);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    return `no network namespaces here, which need root: ${why}`;
  }
}

/** The names of namespaces, as `ip netns list` tells them, and the processes that made them. */
export function namespacesIn(list: string): readonly (readonly [name: string, pid: string])[] {
  const pattern = new RegExp(`^(${PREFIX}(\\d+)-\\S+)`, "gm");
  return Array.from(list.matchAll(pattern), ([, name = "", pid = ""]) => [name, pid] as const);
}

async function removeLeftOvers(processes: Processes, ip: string): Promise<void> {
  for (const [name, pid] of namespacesIn(await processes.output([ip, "netns", "list"], 10_000))) {
    // The sandbox keeps /proc from this process.
    const said = await processes.output(["sh", "-c", `test -d /proc/${pid} || echo gone`], 10_000);
    if (said.trim() === "gone") await removeNamespaces(processes, ip, [name]);
  }
}

/** Those that there are. */
async function removeNamespaces(processes: Processes, ip: string, names: readonly string[]) {
  for (const name of names) {
    // A namespace that was never made is not there to be removed.
    await processes.output([ip, "netns", "delete", name], 10_000).catch(() => {});
  }
}
