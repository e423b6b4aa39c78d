/**
 * A server and a client of ours that are judged, and a second client that is not: it is killed,
 * stopped and restarted.
 *
 * @module
 */

import { join } from "node:path";
import type { Address } from "../../mod.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { bothWays } from "../support/both_ways.ts";
import { ChangingFile } from "../support/changing_file.ts";
import type { InteropTransport } from "../support/interop_transports.ts";
import { echoService, type TcpService } from "../support/local_services.ts";
import { udpEcho, type UdpSocket } from "../support/datagrams.ts";
import { freePort } from "../support/ports.ts";
import { Inspector, LISTENING } from "./inspector.ts";
import { Program } from "./program.ts";
import type { Tally } from "./tally.ts";

/** What reloads change. */
export interface Settings {
  /** Counts the tokens that service `rotated` has had. */
  token: number;
  /** Which of the local services is behind `rotated`. */
  local: number;
  /** Whether there are services that come and go. */
  passing: boolean;
}

/** The services of every pair. */
const SERVICES = ["steady", "rotated", "other", "datagrams", "passing", "passing-udp"] as const;

/** Their names. */
export type ServiceName = typeof SERVICES[number];

/** A program that is judged. */
export interface Judged {
  readonly program: Program;
  readonly inspector: Inspector;
}

/** How to start a pair. */
export interface PairOptions {
  readonly transport: InteropTransport;
  /** Pairs have numbers, and addresses made of them. */
  readonly number: number;
  /** The folder of the program's sources. */
  readonly tree: string;
  /** rathole 0.5.0, to be the second client now and then. */
  readonly peer: string | null;
  readonly tally: Tally;
}

/** See the module. */
export class Pair {
  readonly name: string;
  /** Where the server listens for clients. */
  readonly at: Address;
  readonly settings: Settings = { token: 0, local: 0, passing: false };
  readonly stack: AsyncDisposableStack = new AsyncDisposableStack();
  /** What is judged, by name. */
  readonly judged = new Map<string, Judged>();
  #second: Program | undefined;
  #starts = 0;
  readonly #ports = new Set<number>();
  readonly #doors = new Map<ServiceName, Address>();
  readonly #options: PairOptions;
  readonly #transport: Record<"server" | "client", string>;
  readonly #read: readonly string[];
  readonly #locals: readonly TcpService[];
  readonly #udp: UdpSocket;
  readonly #files: Record<"server" | "client" | "second", ChangingFile>;

  private constructor(
    options: PairOptions,
    { transport, read, locals, udp, files }: {
      transport: Record<"server" | "client", string>;
      read: readonly string[];
      locals: readonly TcpService[];
      udp: UdpSocket;
      files: Record<"server" | "client" | "second", ChangingFile>;
    },
  ) {
    this.name = options.transport.name;
    this.#options = options;
    this.#transport = transport;
    this.#read = read;
    this.#locals = locals;
    this.#udp = udp;
    this.#files = files;
    this.at = this.#address();
    for (const name of SERVICES) this.#doors.set(name, this.#address());
  }

  /** Starts both ends and the second client. */
  static async start(options: PairOptions): Promise<Pair> {
    await using stack = new AsyncDisposableStack();
    const settings = stack.use(await options.transport.settings());
    const { server = "", client = "", read = [] } = settings.options;
    const locals = [stack.use(echoService()), stack.use(echoService())];
    const udp = stack.use(await udpEcho());
    const files = {
      server: stack.use(await ChangingFile.make("")),
      client: stack.use(await ChangingFile.make("")),
      second: stack.use(await ChangingFile.make("")),
    };
    const transport = { server, client };
    const pair = new Pair(options, { transport, read, locals, udp, files });
    pair.stack.use(stack.move());
    try {
      await pair.write("server");
      await pair.write("client");
      await files.second.change(pair.#secondText(), "in place");
      await pair.#startJudged("server", /Listening addr/);
      await pair.#startJudged("client", /Control channel established/);
      await pair.startSecond();
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a service's visitors connect. */
  door(name: ServiceName): Address {
    const door = this.#doors.get(name);
    if (door === undefined) throw new Error(`no service ${name}`);
    return door;
  }

  /** The program that is judged. */
  program(side: "server" | "client"): Program {
    const judged = this.judged.get(`${this.name} ${side}`);
    if (judged === undefined) throw new Error(`${this.name} ${side} was not started`);
    return judged.program;
  }

  /** The second client. */
  get second(): Program {
    if (this.#second === undefined) throw new Error(`${this.name} has no second client`);
    return this.#second;
  }

  /** Has a configuration file say what the settings are, or something else. */
  async write(side: "server" | "client", text = this.text(side)): Promise<void> {
    const ways = ["in place", "rename"] as const;
    await this.#files[side].change(text, ways[Math.floor(Math.random() * ways.length)] ?? "rename");
  }

  /** What a configuration file is to say. */
  text(side: "server" | "client"): string {
    return bothWays(side === "server" ? this.#serverText() : this.#clientText());
  }

  /** Starts the second client, which must have ended if there was one. */
  async startSecond(): Promise<void> {
    const { peer } = this.#options;
    const rust = peer !== null && this.name === "tcp" && ++this.#starts % 2 === 0;
    const { path } = this.#files.second;
    const established = /Control channel established/i;
    this.#second = rust
      ? this.#program("second client, rathole 0.5.0", peer, [path])
      : this.#program("second client", Deno.execPath(), this.#run(path, []));
    await this.#second.says(established, 40_000);
  }

  /** Ends all programs at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#second?.[Symbol.asyncDispose]();
    for (const { inspector, program } of this.judged.values()) {
      await inspector[Symbol.asyncDispose]();
      await program[Symbol.asyncDispose]();
    }
    await this.stack[Symbol.asyncDispose]();
  }

  async #startJudged(side: "server" | "client", ready: RegExp): Promise<void> {
    const args = this.#run(this.#files[side].path, ["--inspect=127.0.0.1:0"]);
    const program = this.#program(side, Deno.execPath(), args);
    try {
      const [listening] = await Promise.all([
        program.says(LISTENING, 40_000),
        program.says(ready, 40_000),
      ]);
      const inspector = await Inspector.connect(listening[1] ?? "");
      this.judged.set(`${this.name} ${side}`, { program, inspector });
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw new Error(`${program.name} did not start: ${program.tail}`, { cause: error });
    }
  }

  #program(name: string, command: string, args: readonly string[]): Program {
    const { tally, tree } = this.#options;
    const full = `${this.name} ${name}`;
    const onError = (line: string) => tally.fail(`${full} says ${line}`);
    return new Program({ name: full, command, args, cwd: tree, onError });
  }

  #run(path: string, args: readonly string[]): string[] {
    const read = [join(path, ".."), ...this.#read];
    const allow = ["--allow-net=127.0.0.0/8", "--allow-env=RUST_LOG", `--allow-read=${read}`];
    return ["run", "--no-prompt", ...args, ...allow, "mod.ts", path];
  }

  #serverText(): string {
    const { passing } = this.settings;
    const lines = [
      "[server]",
      `bind_addr = "${formatAddress(this.at)}"`,
      'default_token = "of the soak"',
      "handshake_timeout = 2",
      this.#transport.server,
    ];
    for (const name of SERVICES) {
      if (name.startsWith("passing") && !passing) continue;
      const token = name === "rotated" ? [`token = "${this.#token()}"`] : [];
      const door = `bind_addr = "${formatAddress(this.door(name))}"`;
      lines.push(`[server.services.${name}]`, `type = "${typeOf(name)}"`, door, ...token);
    }
    return `${lines.join("\n")}\n`;
  }

  #clientText(): string {
    const { local, passing } = this.settings;
    const lines = this.#clientHead();
    for (const name of SERVICES) {
      if (name === "other" || (name.startsWith("passing") && !passing)) continue;
      const token = name === "rotated" ? [`token = "${this.#token()}"`] : [];
      const at = typeOf(name) === "udp"
        ? this.#udp.address
        : this.#local(name === "rotated" ? local : 0);
      const address = `local_addr = "${formatAddress(at)}"`;
      lines.push(`[client.services.${name}]`, `type = "${typeOf(name)}"`, address, ...token);
    }
    return `${lines.join("\n")}\n`;
  }

  /** Of the second client, which also tries a service whose token it does not know. */
  #secondText(): string {
    const address = `local_addr = "${formatAddress(this.#local(0))}"`;
    const lines = this.#clientHead();
    lines.push("[client.services.other]", address);
    lines.push("[client.services.steady]", address, 'token = "wrong"');
    return `${lines.join("\n")}\n`;
  }

  #clientHead(): string[] {
    const address = `remote_addr = "${formatAddress(this.at)}"`;
    return ["[client]", address, 'default_token = "of the soak"', this.#transport.client];
  }

  #token(): string {
    return `token number ${this.settings.token}`;
  }

  #local(index: number): Address {
    const service = this.#locals[index % this.#locals.length];
    if (service === undefined) throw new Error("no local service");
    return service.address;
  }

  /** One that nobody else listens at. */
  #address(): Address {
    for (;;) {
      const port = freePort();
      if (this.#ports.has(port)) continue;
      this.#ports.add(port);
      return { hostname: `127.0.81.${this.#options.number + 1}`, port };
    }
  }
}

function typeOf(name: ServiceName): "tcp" | "udp" {
  return name === "datagrams" || name === "passing-udp" ? "udp" : "tcp";
}
