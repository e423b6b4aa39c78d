/**
 * Connections that are cut after any byte of what opens a control channel: transport's handshake,
 * hello, authentication. Both ends give up with an error, at once, and keep nothing.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-run
 *
 * @module
 */

import { equal, ok } from "node:assert/strict";
import { introduce } from "../../src/client/handshake.ts";
import type { Address } from "../../mod.ts";
import type { Connection } from "../../src/net/connection.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { Secret } from "../../src/runtime/secret.ts";
import { authenticate, readHello } from "../../src/server/handshake.ts";
import type { Incoming, Listener, Transport } from "../../src/transport/transport.ts";
import { Certificates } from "../support/certificates.ts";
import { type Cut, CutRelay, type Direction } from "../support/cut_relay.ts";
import { countable, descriptors } from "../support/descriptors.ts";
import { dialThrough, fakeProxy, type Turn } from "../support/fake_proxy.ts";
import { bytesOf } from "../support/local_services.ts";
import { eventually, soon } from "../support/patience.ts";
import { ANYWHERE } from "../support/tcp_pair.ts";
import { openRow, type TransportRow, transportRows } from "../support/transport_rows.ts";

const OPTIONS = { timeout: 120_000 };
const forever = new AbortController().signal;
const token = new Secret("a token");
/** How many are cut at the same time. */
const AT_ONCE = 24;

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ROWS = await transportRows(made);

/** What an end came to: nothing when all went well. */
type Outcome = RatholeError | undefined;

/** Opens control channels through a relay that cuts them. */
class Bench implements AsyncDisposable {
  readonly #client: Transport;
  readonly #listener: Listener;
  readonly #relay: CutRelay;
  /** Connections are made one after another, so that both ends are known to be of one. */
  #connecting: Promise<unknown> = Promise.resolve();

  private constructor(client: Transport, listener: Listener, relay: CutRelay) {
    this.#client = client;
    this.#listener = listener;
    this.#relay = relay;
  }

  static async of(row: TransportRow): Promise<Bench> {
    const [server, client] = await openRow(row);
    const listener = server.bind(ANYWHERE);
    return new Bench(client, listener, await CutRelay.to(listener.address));
  }

  /** What both ends of a connection come to that is cut, if told so. */
  async attempt(cut?: Cut) {
    const what = JSON.stringify(cut ?? "no cut");
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    const turn = this.#connecting;
    this.#connecting = connected;
    await turn;
    const link = this.#relay.expect(cut);
    const client = opened(openClient(this.#client, this.#relay.address));
    await link.reached;
    const accepted = this.#listener.accept();
    const server = opened(openServer(accepted));
    await accepted.catch(() => {});
    resolve();
    const [atClient, atServer] = await Promise.all([
      soon(`the client, ${what}`, client),
      soon(`the server, ${what}`, server),
    ]);
    const passed = { ...link.passed };
    const ends = [atClient, atServer].flatMap((end) => end instanceof RatholeError ? [] : [end]);
    if (cut !== undefined) {
      link.cut();
      // Whoever was done before the cut finds out now.
      await soon(`the end of the rest, ${what}`, Promise.all(ends.map(exhaust)));
    }
    for (const end of ends) end.abort();
    await link.closed;
    return { client: outcomeOf(atClient), server: outcomeOf(atServer), passed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#relay[Symbol.asyncDispose]();
  }
}

async function openClient(client: Transport, to: Address): Promise<Connection> {
  const connection = await client.connect(to, { signal: forever });
  try {
    await introduce(connection, "it", token);
    return connection;
  } catch (error) {
    connection.abort(error);
    throw error;
  }
}

async function openServer(accepted: Promise<Incoming>): Promise<Connection> {
  let incoming;
  try {
    incoming = await accepted;
  } catch (cause) {
    // Reset before it was accepted: the accept loop has a test of its own.
    if (!(cause instanceof Deno.errors.NotConnected)) throw cause;
    throw new RatholeError("closed", "reset before it was accepted", { cause });
  }
  try {
    const connection = await incoming.handshake();
    await readHello(connection);
    await authenticate(connection, { name: "it", token });
    return connection;
  } catch (error) {
    incoming.abort(error);
    throw error;
  }
}

/** The connection, or the error, which must be one of ours. */
async function opened(opening: Promise<Connection>): Promise<Connection | RatholeError> {
  try {
    return await opening;
  } catch (error) {
    ok(error instanceof RatholeError, Deno.inspect(error));
    return error;
  }
}

function outcomeOf(end: Connection | RatholeError): Outcome {
  return end instanceof RatholeError ? end : undefined;
}

/** Reads until an end, or an error, which must be one of ours. */
async function exhaust(connection: Connection): Promise<void> {
  try {
    while (await connection.read() !== null);
  } catch (error) {
    ok(error instanceof RatholeError, Deno.inspect(error));
  }
}

/** Does it for each, a few at a time. */
async function batches<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values();
  const work = async () => {
    for (const one of queue) await act(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Every one. */
function offsets(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

const DIRECTIONS: readonly Direction[] = ["up", "down"];

for (const row of ROWS) {
  for (const how of ["FIN", "RST"] as const) {
    Deno.test(`${row.name}: a ${how} after any byte`, OPTIONS, async () => {
      await using bench = await Bench.of(row);
      const whole = await bench.attempt();
      equal(whole.client, undefined);
      equal(whole.server, undefined);
      const before = countable ? await descriptors() : 0;
      const cuts = DIRECTIONS.flatMap((direction) =>
        offsets(whole.passed[direction]).map((after) => ({ direction, after, how }))
      );
      await batches(cuts, async (cut) => {
        const outcome = await bench.attempt(cut);
        const { direction, after } = cut;
        const what = `${JSON.stringify(cut)} of ${whole.passed[direction]}`;
        for (const error of [outcome.client, outcome.server]) {
          if (error !== undefined) equal(error.code, "closed", `${what}: ${error.message}`);
        }
        const deprived = direction === "up" ? outcome.server : outcome.client;
        if (after < whole.passed[direction] - row.slack) {
          ok(deprived !== undefined, `${what}: went on as if nothing had happened`);
        }
      });
      if (countable) await eventually("descriptors", descriptors, (now) => now <= before);
      // It works as before.
      const again = await bench.attempt();
      equal(again.client ?? again.server, undefined);
    });
  }
}

const SERVER = { hostname: "tunnel.example", port: 2333 };
const REQUEST = "CONNECT tunnel.example:2333 HTTP/1.1\r\nHost: tunnel.example:2333\r\n" +
  "Proxy-Authorization: Basic bWU6cGFzc3dvcmQ=\r\n\r\n";
const PROXIES: readonly (readonly ["http" | "socks5", readonly Turn[]])[] = [
  ["http", [[REQUEST.length, bytesOf("HTTP/1.1 200 Connection established\r\n\r\n")]]],
  ["socks5", [
    [4, Uint8Array.of(5, 2)],
    [13, Uint8Array.of(1, 0)],
    [21, Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 1, 0, 80)],
  ]],
];

for (const [scheme, turns] of PROXIES) {
  for (const how of ["FIN", "RST"] as const) {
    Deno.test(`a proxy of ${scheme}: a ${how} after any byte`, OPTIONS, async () => {
      await using proxy = fakeProxy(turns);
      await using relay = await CutRelay.to(proxy.address);
      const dial = async (cut?: Cut) => {
        const link = relay.expect(cut);
        const dialled = dialThrough(scheme, relay.address, SERVER, { userinfo: "me:password@" });
        return { link, dialled: await soon(JSON.stringify(cut ?? "no cut"), refusal(dialled)) };
      };
      const whole = await dial();
      equal(whole.dialled, undefined);
      await whole.link.closed;
      const { passed } = whole.link;
      equal(passed.up, turns.reduce((sum, [length]) => sum + length, 0));
      const before = countable ? await descriptors() : 0;
      for (const direction of DIRECTIONS) {
        for (const after of offsets(passed[direction])) {
          const what = JSON.stringify({ direction, after, how });
          const { dialled, link } = await dial({ direction, after, how });
          equal(dialled?.code, "proxy", what);
          await link.closed;
        }
      }
      if (countable) await eventually("descriptors", descriptors, (now) => now <= before);
    });
  }
}

/** Why there is no socket, if there is none. */
async function refusal(dialled: Promise<Deno.TcpConn>): Promise<Outcome> {
  try {
    (await dialled).close();
    return undefined;
  } catch (error) {
    ok(error instanceof RatholeError, Deno.inspect(error));
    return error;
  }
}
