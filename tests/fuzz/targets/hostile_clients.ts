/**
 * Whole connections of clients that mean harm, to a server of ours that has honest ones as well.
 *
 * @module
 */

import type { Address } from "../../../mod.ts";
import { serviceDigest, sessionKey } from "../../../src/protocol/auth.ts";
import { encodeExtensionHeartbeat, encodeExtensionHello } from "../../../src/protocol/extension.ts";
import { encodeHello, HELLO_LENGTH } from "../../../src/protocol/messages.ts";
import { RatholeError } from "../../../src/runtime/errors.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import {
  bytesOf,
  closeQuietly,
  echoed,
  echoService,
  textOf,
  visit,
} from "../../support/local_services.ts";
import { eventually } from "../../support/patience.ts";
import { frameBytes } from "../../support/raw_carrier.ts";
import {
  clientFor,
  serverFor,
  TOKEN,
  type WatchedClient,
  type WatchedServer,
} from "../../support/tunnel.ts";
import { must, type Target } from "../engine/target.ts";
import { Puppet, Script } from "./script.ts";
import { clientTransport, openPairs } from "./transports.ts";

/** Operations, in the order of their numbers. */
const OP = {
  send: 0,
  hello: 1,
  auth: 2,
  data: 3,
  read: 4,
  end: 5,
  other: 6,
  visit: 7,
  flood: 8,
  cut: 9,
  extend: 10,
  carrier: 11,
  frame: 12,
};
const OPERATIONS = Object.keys(OP).length;
const MOST_CONNECTIONS = 6;
/** The shortest deadline of the honest tunnel, in milliseconds. */
const DEADLINE = 2_000;

/** A server under attack. */
interface Victim {
  readonly server: WatchedServer;
  readonly honest: WatchedClient;
  /** What the attacker speaks: the transport, and plain TCP. */
  readonly transports: readonly [Transport, Transport];
  /** Where the honest client's visitors come. */
  readonly door: Address;
}

/** See the module. An input is a transport, whether to speak it, and a script. */
export async function hostileClients(): Promise<Target> {
  const stack = new AsyncDisposableStack();
  const pairs = stack.use(await openPairs());
  const local = stack.use(echoService());
  const plain = await clientTransport({ type: "tcp" });
  const victims: Victim[] = [];
  for (const pair of pairs.all) {
    const server = stack.use(
      await serverFor({ tcp: {}, udp: { type: "udp" }, honest: {} }, {
        ...{ handshake_timeout: `${DEADLINE}ms`, transport: pair.server },
        // All come from one address here, the honest ones too.
        ...{ max_handshake_rate_per_ip: 100_000, max_auth_failures_per_ip: 1_000_000_000 },
        ...{ max_pending_handshakes_per_ip: 256 },
      }),
    );
    const honest = stack.use(
      await clientFor(server, { honest: local.address }, { transport: pair.client }),
    );
    const transports = [await clientTransport(pair.client), plain] as const;
    victims.push({ server, honest, transports, door: await server.door("honest") });
    await honest.events.until("control-channel-established");
    server.events.forget();
    honest.events.forget();
  }
  const pauses = stack.use(new Pauses());
  const play = async (input: Uint8Array) => {
    const script = new Script(input);
    const victim = victims[script.operand() % victims.length];
    const flags = script.operand();
    const transport = victim?.transports[flags & 1];
    must(victim !== undefined && transport !== undefined, "no victim");
    return await attack(victim.server, transport, (flags & 2) === 0 ? "tcp" : "udp", script);
  };
  return {
    name: "hostile-clients",
    seeds: seeds(victims.length),
    tokens: [
      ...[encodeExtensionHello(0, 1000), encodeExtensionHeartbeat(), "GET / HTTP/1.1\r\n\r\n"],
      ...[
        Uint8Array.of(0, 20, 12, 0, 0, 0, 0, 127, 0, 0, 1, 9, 9, 4, 0),
        Uint8Array.of(OP.hello, OP.auth),
      ],
      ...[
        Uint8Array.of(OP.data),
        Uint8Array.of(OP.visit, 9),
        Uint8Array.of(0x82, 0x85, 0, 0, 0, 0),
      ],
    ],
    longest: 600,
    batch: 24,
    parallel: 12,
    run: play,
    async check() {
      const held = pauses.longest();
      for (const victim of victims) await unharmed(victim, held);
    },
    async stop() {
      for (const { server } of victims) {
        await eventually(
          "the attackers to be gone",
          () => server.server.status().pendingHandshakes,
          (count) => count === 0,
        );
      }
      await stack.disposeAsync();
    },
  };
}

/**
 * Fails unless the honest client was served all the time. Both ends of the honest tunnel live in
 * this thread: where it stood still for `held` milliseconds, their deadlines passed by themselves.
 */
async function unharmed({ server, honest, door }: Victim, held: number): Promise<void> {
  const told = [...server.events.seen, ...honest.events.seen];
  server.events.forget();
  honest.events.forget();
  const bad = told.filter((event) =>
    event.type === "fault" ||
    "service" in event && event.service === "honest" &&
      !["carrier-opened", "stream-opened", "stream-closed"].includes(event.type)
  );
  const refused = told.filter(({ type }) =>
    ["handshake-failed", "connection-refused", "accept-failed"].includes(type)
  );
  must(
    bad.length === 0 || held >= DEADLINE && !bad.some(({ type }) => type === "fault"),
    `the honest tunnel was harmed: ${Deno.inspect(bad)}, while ${Deno.inspect(refused)}`,
  );
  const { state } = server.server.status();
  must(state === "running", `the server is ${state}`);
  const echo = textOf(await echoed(door, bytesOf("honest"), 5000));
  must(echo === "honest", `another echo: ${echo}`);
}

/** Plays a script; what it says of each connection is all that an attacker can see. */
async function attack(
  { server }: WatchedServer,
  transport: Transport,
  service: string,
  script: Script,
): Promise<string> {
  const puppets: Puppet[] = [];
  const visitors: Deno.TcpConn[] = [];
  const signal = AbortSignal.timeout(2000);
  const open = async () => {
    try {
      const puppet = new Puppet(await transport.connect(server.address, { nodelay: true, signal }));
      puppets.push(puppet);
      return puppet;
    } catch (error) {
      if (error instanceof RatholeError || signal.aborted) return undefined;
      throw error;
    }
  };
  let shape = "";
  let key = new Uint8Array(32);
  let current = await open();
  try {
    for (
      let op = script.operation(OPERATIONS);
      op !== undefined;
      op = script.operation(OPERATIONS)
    ) {
      if (current === undefined) return `${shape} refused`;
      if (op === OP.send) await current.send(script.chunk());
      if (op === OP.hello) {
        await current.send(encodeHello({ kind: "control", digest: await serviceDigest(service) }));
      }
      if (op === OP.auth) {
        const hello = await current.read(HELLO_LENGTH);
        if (hello.length === HELLO_LENGTH) {
          key = new Uint8Array(await sessionKey(TOKEN, hello.subarray(5)));
          await current.send(key);
          shape += `a${(await current.read(4))[0]}`;
        }
      }
      if (op === OP.data && puppets.length < MOST_CONNECTIONS) {
        current = await open();
        await current?.send(encodeHello({ kind: "data", digest: key }));
      }
      if (op === OP.carrier && puppets.length < MOST_CONNECTIONS) {
        current = await open();
        await current?.send(encodeHello({ kind: "carrier", digest: key }));
        shape += "c";
      }
      if (op === OP.frame) {
        const [type, stream] = [script.operand() % 10, script.operand() % 16];
        await current?.send(frameBytes(type, stream, script.chunk()));
      }
      if (op === OP.read) shape += (await current?.read(script.operand()))?.length === 0 ? "" : "r";
      if (op === OP.end) await current?.closeWrite();
      if (op === OP.other) current = puppets[script.operand() % puppets.length];
      if (op === OP.visit) {
        const at = server.status().services.find(({ name }) => name === service)?.address;
        if (at === undefined || service === "udp" || visitors.length >= MOST_CONNECTIONS) continue;
        const visitor = await visit(at).catch(() => undefined);
        if (visitor === undefined) continue;
        visitors.push(visitor);
        await visitor.write(bytesOf("v".repeat(1 + script.operand()))).catch(() => 0);
        shape += "v";
      }
      if (op === OP.flood) {
        await current?.send(new Uint8Array(1 + (script.operand() << 8)).fill(script.operand()));
      }
      if (op === OP.cut) current?.abort();
      if (op === OP.extend) {
        await current?.send(
          encodeExtensionHello(script.operand(), script.operand(), script.operand() & 255),
        );
      }
    }
    return `${shape.slice(0, 8)} ${current?.state}`;
  } finally {
    for (const puppet of puppets) puppet.abort();
    for (const visitor of visitors) closeQuietly(visitor);
  }
}

/** Knows for how long this thread did nothing else than one thing. */
class Pauses implements Disposable {
  #last = performance.now();
  #longest = 0;
  readonly #timer = setInterval(() => this.#look(), 50);

  /** The longest pause since this was last asked, in milliseconds. */
  longest(): number {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }
}

function seeds(transports: number): Uint8Array[] {
  const { auth, carrier, cut, data, end, extend, flood, frame, hello } = OP;
  const { other, read, send, visit } = OP;
  const datagram = [send, 17, 12, 0, 0, 0, 0, 127, 0, 0, 1, 9, 9, 4, 0, 1, 2, 3, 4];
  const carried = [hello, auth, extend, 1, 100, read, 36, carrier];
  const scripts = [
    [0, hello, auth, extend, 0, 100, data, visit, 5, read, 4, read, 6, send, 3, 97, 98, 99, end],
    [0, hello, auth, data, data, other, 1, visit, 1, cut, visit, 2, read, 4, flood, 9, 0],
    [2, hello, auth, data, read, 4, ...datagram, ...datagram, send, 5, 12, 1, 0, 0, 0, read, 9],
    [0, hello, send, 32, ...Array(32).fill(7), read, 4],
    [0, hello, auth, send, 3, 1, 0, 0, read, 9],
    [1, send, 5, 71, 69, 84, 32, 47, read, 40, end],
    [1, flood, 200, 22, read, 9],
    [0, ...carried, visit, 5, read, 9, frame, 2, 1, 3, 97, 98, 99, frame, 4, 1, 0, end],
    [0, ...carried, visit, 5, frame, 3, 1, 4, 0, 0, 1, 0, frame, 6, 1, 0, data, read, 8, cut],
    [0, ...carried, visit, 5, read, 9, frame, 5, 1, 1, 1, frame, 2, 9, 1, 7, read, 9],
    [2, ...carried, read, 9, frame, 2, 1, 17, ...datagram.slice(2), frame, 7, 0, 0, read, 8],
  ];
  return scripts.flatMap((script) =>
    Array.from({ length: transports }, (_, i) => Uint8Array.from([i, ...script]))
  );
}
