/**
 * A tunnel whose client is a program in a network namespace, or behind whatever stands between:
 * any transport, a server in this process.
 *
 * @module
 */

import { type Address, type Server, type ServerEvent, startServer } from "../../mod.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { bothWays } from "./both_ways.ts";
import type { Child } from "./child.ts";
import { eventually } from "./patience.ts";
import { Watch } from "./watch.ts";

/** What is behind a tunnel, and what both ends are told besides. */
export interface DistantOptions {
  /** Where the server listens, as it is reached from the client. */
  readonly at: string;
  /** The local service as it is reached from the client. */
  readonly local: Address;
  readonly type?: "tcp" | "udp";
  /** Lines of `[server]`, its tables after it, and of `[client]`. */
  readonly server?: string;
  readonly client?: string;
  /** Where the client looks for the server; where it listens unless told otherwise. */
  readonly remote?: (address: Address) => string;
  /** Starts the client. */
  readonly start: (config: string) => Promise<Child>;
}

/** See the module. */
export interface Distant extends AsyncDisposable {
  readonly server: Server;
  readonly events: Watch<ServerEvent>;
  readonly client: Child;
  /** Where visitors connect. */
  readonly door: Address;
  /** Runs a test's body; where it fails, the message shows what the client printed. */
  check<T>(body: () => Promise<T>): Promise<T>;
}

/** Starts a server with one service, `it`. */
export async function distantServer(
  { at, server = "", type = "tcp" }: Pick<DistantOptions, "at" | "server" | "type">,
): Promise<Server> {
  const text = `[server.services.it]\ntype = "${type}"\ntoken = "t"\n` +
    `bind_addr = "127.0.0.1:0"\n[server]\nbind_addr = "${at}"\n${server}`;
  const { config } = parseConfig(bothWays(text));
  if (config.server === undefined) throw new Error("no [server]");
  return await startServer(config.server);
}

/** Where the visitors of the only service of a server connect, once they can. */
export async function doorOf(server: Server): Promise<Address> {
  const { address } = await eventually(
    "the service's door",
    () => ({ address: server.status().services[0]?.address }),
    (seen) => seen.address !== undefined,
  );
  if (address === undefined) throw new Error("unreachable");
  return address;
}

/** Starts both ends; resolves when visitors can come. */
export async function distant(options: DistantOptions): Promise<Distant> {
  const { client = "", local, remote = formatAddress, type = "tcp" } = options;
  await using started = new AsyncDisposableStack();
  const server = started.use(await distantServer(options));
  const events = new Watch(server.events());
  const program = started.use(
    await options.start(bothWays(
      `[client.services.it]\ntype = "${type}"\ntoken = "t"\n` +
        `local_addr = "${formatAddress(local)}"\n[client]\n` +
        `remote_addr = "${remote(server.address)}"\n${client}`,
    )),
  );
  const check = async <T>(body: () => Promise<T>) => {
    try {
      return await body();
    } catch (cause) {
      const why = cause instanceof Error ? cause.stack ?? cause.message : cause;
      throw new Error(`${why}\n--- client\n${program.text}`, { cause });
    }
  };
  const door = await check(() => doorOf(server));
  const all = started.move();
  return {
    server,
    events,
    client: program,
    door,
    check,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
