/**
 * What a tunnel has to do whatever it is made of: the parts of a cell of the interoperability table.
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { askDatagram, udpEcho, type UdpSocket, udpSocket } from "./datagrams.ts";
import {
  bytesOf,
  digest,
  echoed,
  echoService,
  noise,
  readBytes,
  type TcpService,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./local_services.ts";
import { eventually, soon } from "./patience.ts";
import { ESTABLISHED, type Pair, type PairService } from "./peer.ts";

/** What scenarios are played with. */
export interface Stage extends AsyncDisposable {
  readonly services: Readonly<Record<string, PairService>>;
  /**
   * What the service which ends its direction first has got, as digests; by the number that it has
   * told each visitor.
   */
  readonly questions: ReadonlyMap<string, string>;
}

/** A scenario with a tunnel to the services of a stage. */
export interface Scenario {
  /** Its name in the table. */
  readonly name: string;
  /** Fails when the tunnel does not do what it has to. */
  play(pair: Pair, stage: Stage, door: (name: string) => Address): Promise<void>;
}

const BULK = 3_000_000;
const VISITORS = 40;
/** Enough not to fit into the buffers on the way. */
const REPLY = 500_000;
/** Bytes of a datagram that 0.5.0 carries whole. */
const SIZES = [0, 1, 1400, 2048];
/** The most that a datagram over IPv4 holds. */
const LARGEST = 65_507;
/** Milliseconds that a half-closed connection may take to end: more than any end is held back. */
const HALF_CLOSE_PATIENCE = 12_000;

/** The scenarios, in the order in which they are played with one pair of programs. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "3 MB", play: (_pair, _stage, door) => bulk(door("echo")) },
  { name: "40 visitors at once", play: (_pair, _stage, door) => visitors(door("echo")) },
  { name: "half-close by the visitor", play: (_pair, _stage, door) => visitorEnds(door("late")) },
  {
    name: "half-close by the service",
    play: (_pair, stage, door) => serviceEnds(door("early"), stage),
  },
  { name: "UDP", play: (_pair, _stage, door) => datagrams(door("udp"), SIZES) },
  { name: "UDP of 65,507 bytes", play: (_pair, _stage, door) => datagrams(door("udp"), [LARGEST]) },
  { name: "restart of the client", play: (pair, _stage, door) => restart("client", pair, door) },
  { name: "restart of the server", play: (pair, _stage, door) => restart("server", pair, door) },
];

/** Starts the services behind the tunnel. */
export async function setStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const questions = new Map<string, string>();
  let numbers = 0;
  const echo = stack.use(echoService());
  const late: TcpService = stack.use(tcpService(async (connection) => {
    const { length } = await readAll(connection);
    // The visitor that only looked whether the door is open asks nothing.
    if (length > 0) await writeAll(connection, noise(REPLY, length));
  }));
  const early: TcpService = stack.use(tcpService(async (connection) => {
    const number = String(++numbers);
    await writeAll(connection, bytesOf(number));
    await connection.closeWrite();
    questions.set(number, await digest(await readAll(connection)));
  }));
  const udp = stack.use(await udpEcho());
  const owned = stack.move();
  return {
    services: {
      echo: { local: echo.address },
      late: { local: late.address },
      early: { local: early.address },
      udp: { local: udp.address, type: "udp" },
    },
    questions,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function bulk(door: Address): Promise<void> {
  const question = noise(BULK);
  equal(await digest(await echoed(door, question)), await digest(question));
}

async function visitors(door: Address): Promise<void> {
  const all = await Promise.all(Array.from({ length: VISITORS }, () => visit(door)));
  try {
    await Promise.all(all.map((visitor, i) => writeAll(visitor, noise(5000, i + 1))));
    const replies = await Promise.all(all.map((visitor) => readBytes(visitor, 5000)));
    for (const [i, reply] of replies.entries()) deepEqual(reply, noise(5000, i + 1));
  } finally {
    for (const visitor of all) visitor.close();
  }
}

/** The visitor says all it has to say and ends; only then the service replies. */
async function visitorEnds(door: Address): Promise<void> {
  using visitor = await visit(door);
  await writeAll(visitor, noise(100_000));
  await visitor.closeWrite();
  const reply = await soon("the reply", readAll(visitor), HALF_CLOSE_PATIENCE);
  equal(reply.length, REPLY, `${reply.length} of ${REPLY} bytes of the reply`);
  equal(await digest(reply), await digest(noise(REPLY, 100_000)));
}

/** The service says all it has to say and ends; only then the visitor speaks. */
async function serviceEnds(door: Address, { questions }: Stage): Promise<void> {
  const question = noise(REPLY, 7);
  using visitor = await visit(door);
  const number = textOf(await soon("the service's end", readAll(visitor), HALF_CLOSE_PATIENCE));
  await writeAll(visitor, question);
  await visitor.closeWrite();
  const got = await eventually(
    "the question",
    () => questions.get(number),
    (got) => got !== undefined,
  );
  equal(got, await digest(question), "the question did not arrive whole");
}

async function datagrams(door: Address, sizes: readonly number[]): Promise<void> {
  await using visitor = await udpSocket();
  await warmUp(visitor, door);
  for (const size of sizes) {
    const payload = noise(size, size);
    await visitor.send(payload, door);
    const reply = (await visitor.next()).payload;
    equal(reply.length, size, `${reply.length} of ${size} bytes of a datagram`);
    deepEqual(reply, payload);
  }
}

/** Sends until replies come, and takes all of them. */
async function warmUp(visitor: UdpSocket, door: Address): Promise<void> {
  deepEqual(await askDatagram(visitor, bytesOf("?"), door), bytesOf("?"));
  // The same question may have been sent more than once: the replies end with another one's.
  await visitor.send(bytesOf("!"), door);
  while (textOf((await visitor.next()).payload) !== "!");
}

/**
 * A client of 0.5.0 panics when the server is killed in the middle of a WebSocket's handshake, and
 * serves no more: whoever supervises it has to start it again.
 */
const PANICKED = /panicked at src\/transport\/websocket\.rs/;

/** Kills one end and starts it again: what was there before has to come back by itself. */
async function restart(
  end: "server" | "client",
  pair: Pair,
  door: (name: string) => Address,
): Promise<void> {
  await using visitor = await udpSocket();
  await warmUp(visitor, door("udp"));
  await pair.restart(end);
  await pair.client.until(ESTABLISHED);
  let revived = false;
  // A server of theirs keeps the door of the client that was killed open for a while.
  await eventually(
    "a reply after the restart",
    async () => {
      if (end === "server" && !revived && PANICKED.test(pair.client.text)) {
        revived = true;
        await pair.restart("client");
      }
      return await echoed(door("echo"), bytesOf("after"), 1000).then(textOf, String);
    },
    (reply) => reply === "after",
  );
  await eventually("a datagram after the restart", async () => {
    while (visitor.waiting.length > 0) await visitor.next();
    return textOf(await askDatagram(visitor, bytesOf(end), door("udp")));
  }, (reply) => reply === end);
}

/** Reads to the end, however long that takes. */
async function readAll(from: Deno.TcpConn): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await from.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
