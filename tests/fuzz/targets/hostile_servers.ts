/**
 * Whole connections of servers that mean harm, to a client of ours.
 *
 * @module
 */

import { createNonce } from "../../../src/protocol/auth.ts";
import {
  encodeAck,
  encodeContinue,
  encodeControlCommand,
  encodeDataCommand,
  encodeHello,
} from "../../../src/protocol/messages.ts";
import { formatAddress } from "../../../src/runtime/address.ts";
import { RatholeError } from "../../../src/runtime/errors.ts";
import type { Incoming, Transport } from "../../../src/transport/transport.ts";
import { udpEcho } from "../../support/datagrams.ts";
import { bytesOf, echoService } from "../../support/local_services.ts";
import { frameBytes, welcome } from "../../support/raw_carrier.ts";
import { udpFrame } from "../../support/raw.ts";
import { clientFor } from "../../support/tunnel.ts";
import { pause, soon } from "../../support/patience.ts";
import { must, type Target } from "../engine/target.ts";
import { Puppet, Script, within } from "./script.ts";
import { ANYWHERE, openPairs, type Pair, serverTransport } from "./transports.ts";

/** Operations, in the order of their numbers; `data` begins what is played on data channels. */
const OP = {
  send: 0,
  hello: 1,
  read: 2,
  ack: 3,
  create: 4,
  beat: 5,
  data: 6,
  forward: 7,
  end: 8,
  cut: 9,
  flood: 10,
  datagram: 11,
  welcome: 12,
  frame: 13,
  continue: 14,
};
const OPERATIONS = Object.keys(OP).length;
/** Milliseconds after which a client is stopped whatever it does. */
const LONGEST_PLAY = 400;
/** Connections that a script is played on; later ones are cut. */
const MOST_CONNECTIONS = 12;

/** See the module. An input is a transport, whether to speak it, and a script. */
export async function hostileServers(): Promise<Target> {
  const stack = new AsyncDisposableStack();
  const pairs = stack.use(await openPairs());
  const tcp = stack.use(echoService());
  const udp = stack.use(await udpEcho());
  const plain = await serverTransport({ type: "tcp" });
  const worlds = await Promise.all(
    pairs.all.map(async (pair) => ({ pair, transport: await serverTransport(pair.server) })),
  );
  return {
    name: "hostile-servers",
    seeds: seeds(worlds.length),
    tokens: [
      ...[Uint8Array.of(OP.hello, 1, OP.read, 32, OP.ack, 0), Uint8Array.of(OP.create, OP.create)],
      ...[Uint8Array.of(OP.data), Uint8Array.of(OP.forward, 0), Uint8Array.of(OP.datagram, 9)],
      ...["HTTP/1.1 200 OK\r\n\r\n", Uint8Array.of(0x82, 5), Uint8Array.of(0x16, 3, 1)],
    ],
    longest: 600,
    batch: 24,
    parallel: 8,
    async run(input) {
      const script = new Script(input);
      const world = worlds[script.operand() % worlds.length];
      const flags = script.operand();
      must(world !== undefined, "no transport");
      const transport = (flags & 1) === 0 ? world.transport : plain;
      const local = (flags & 2) === 0
        ? { type: "tcp", local_addr: formatAddress(tcp.address) } as const
        : { type: "udp", local_addr: formatAddress(udp.address) } as const;
      return await attack(world.pair, transport, local, input.subarray(2));
    },
    stop: () => stack.disposeAsync(),
  };
}

async function attack(
  pair: Pair,
  transport: Transport,
  local: { readonly type: "tcp" | "udp"; readonly local_addr: string },
  bytes: Uint8Array,
): Promise<string> {
  const split = bytes.indexOf(OP.data);
  const scripts = split < 0
    ? [bytes, bytes]
    : [bytes.subarray(0, split), bytes.subarray(split + 1)];
  const listener = transport.bind(ANYWHERE);
  const puppets: Puppet[] = [];
  const incoming = new Set<Incoming>();
  const played = Promise.withResolvers<void>();
  let count = 0;
  const serve = async (visitor: Incoming, number: number) => {
    incoming.add(visitor);
    try {
      const puppet = new Puppet(await visitor.handshake());
      puppets.push(puppet);
      await playOn(puppet, new Script(scripts[number === 0 ? 0 : 1] ?? bytes));
    } catch (error) {
      if (!(error instanceof RatholeError)) throw error;
      visitor.abort();
    } finally {
      if (number === 0) played.resolve();
    }
  };
  const tasks: Promise<void>[] = [];
  const accepting = (async () => {
    for (;;) {
      let visitor;
      try {
        visitor = await listener.accept();
      } catch (error) {
        if (error instanceof RatholeError || error instanceof Deno.errors.BadResource) return;
        throw error;
      }
      if (count < MOST_CONNECTIONS) tasks.push(serve(visitor, count++));
      else visitor.abort();
    }
  })();
  const client = await clientFor(formatAddress(listener.address), { it: local }, {
    ...{ default_token: "t", retry_interval: "100ms", drain_timeout: 0, heartbeat_timeout: 1 },
    transport: pair.client,
  });
  try {
    await within(played.promise, LONGEST_PLAY);
    await pause(10);
  } finally {
    // Fails where there was a fault.
    await soon("the client to stop", client[Symbol.asyncDispose](), 4000);
    listener.close();
    for (const puppet of puppets) puppet.abort();
    for (const visitor of incoming) visitor.abort();
    await Promise.all([accepting, ...tasks]);
  }
  const kinds = new Set(client.events.seen.map(({ type }) => type));
  return `${[...kinds].sort().join()} ${
    puppets.map(({ state }) => state.charAt(0)).join("").slice(0, 3)
  }`;
}

async function playOn(puppet: Puppet, script: Script): Promise<void> {
  for (let op = script.operation(OPERATIONS); op !== undefined; op = script.operation(OPERATIONS)) {
    if (op === OP.send) await puppet.send(script.chunk());
    if (op === OP.hello) {
      const marked = script.operand() % 2 === 1;
      const digest = marked ? await createNonce() : crypto.getRandomValues(new Uint8Array(32));
      await puppet.send(encodeHello({ kind: "control", digest }));
    }
    if (op === OP.read) await puppet.read(script.operand());
    if (op === OP.ack) {
      const verdicts = ["ok", "service-unknown", "auth-failed"] as const;
      await puppet.send(encodeAck(verdicts[script.operand() % 3] ?? "ok"));
    }
    if (op === OP.create) await puppet.send(encodeControlCommand("create-data-channel"));
    if (op === OP.beat) await puppet.send(encodeControlCommand("heartbeat"));
    if (op === OP.forward) {
      await puppet.send(
        encodeDataCommand(script.operand() % 2 === 0 ? "forward-tcp" : "forward-udp"),
      );
    }
    if (op === OP.welcome) await puppet.send(welcome(script.operand()));
    if (op === OP.frame) {
      const [type, stream] = [script.operand() % 10, script.operand() % 16];
      await puppet.send(frameBytes(type, stream, script.chunk()));
    }
    if (op === OP.continue) await puppet.send(encodeContinue(script.operand() % 16));
    if (op === OP.end) await puppet.closeWrite();
    if (op === OP.cut) puppet.abort();
    if (op === OP.flood) {
      await puppet.send(new Uint8Array(1 + (script.operand() << 8)).fill(script.operand()));
    }
    if (op === OP.datagram) {
      const visitor = { hostname: "192.0.2.1", port: script.operand() };
      await puppet.send(udpFrame(visitor, bytesOf("datagram")));
    }
  }
}

function seeds(transports: number): Uint8Array[] {
  const { ack, beat, create, cut, data, datagram, end, flood, forward, hello, read, send } = OP;
  const { continue: goOn, frame, welcome } = OP;
  const opened = [read, 37, frame, 1, 1, 1, 0, frame, 2, 1, 2, 97, 98];
  const start = [read, 37, hello, 1, read, 32, ack, 0];
  const scripts = [
    [
      0,
      ...start,
      beat,
      create,
      create,
      read,
      9,
      data,
      read,
      37,
      forward,
      0,
      send,
      2,
      97,
      98,
      read,
      2,
      end,
    ],
    [
      2,
      ...start,
      create,
      read,
      60,
      data,
      read,
      37,
      forward,
      1,
      datagram,
      5,
      datagram,
      6,
      read,
      25,
      cut,
    ],
    [
      2,
      ...start,
      create,
      read,
      60,
      data,
      forward,
      1,
      send,
      9,
      12,
      1,
      0,
      0,
      0,
      9,
      9,
      9,
      9,
      read,
      60,
    ],
    [0, ...start, send, 4, 9, 9, 9, 9, read, 9],
    [0, read, 37, hello, 0, ack, 2, read, 9],
    [0, read, 37, hello, 0, ack, 0, create, data, read, 40, flood, 99, 0],
    [0, ...start, welcome, 1, read, 12, data, ...opened, read, 10, frame, 4, 1, 0, read, 8],
    [0, ...start, welcome, 1, create, read, 60, data, ...opened, goOn, 1, frame, 6, 1, 0, read, 9],
    [0, ...start, welcome, 255, read, 60, data, ...opened, frame, 5, 1, 1, 0, frame, 1, 1, 1, 0],
    [
      0,
      ...start,
      welcome,
      1,
      welcome,
      0,
      welcome,
      2,
      read,
      60,
      data,
      read,
      37,
      frame,
      7,
      0,
      0,
      cut,
    ],
    [2, ...start, welcome, 1, read, 60, data, read, 37, frame, 1, 1, 1, 1, datagram, 5, read, 9],
    [1, send, 20, ...bytesOf("HTTP/1.1 404 No\r\n\r\n"), read, 9],
  ];
  return scripts.flatMap((script) =>
    Array.from({ length: transports }, (_, i) => Uint8Array.from([i, ...script]))
  );
}
