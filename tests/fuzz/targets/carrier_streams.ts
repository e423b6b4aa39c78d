/**
 * What a peer that means harm makes of a carrier.
 *
 * @module
 */

import { Carrier } from "../../../src/carrier/carrier.ts";
import { CarrierCounters } from "../../../src/carrier/counters.ts";
import { INITIAL_WINDOW, MOST_WINDOW } from "../../../src/carrier/credit.ts";
import { FRAME } from "../../../src/carrier/frame.ts";
import type { Stream } from "../../../src/carrier/stream.ts";
import { BufferStore } from "../../../src/net/buffers.ts";
import { RatholeError } from "../../../src/runtime/errors.ts";
import { type CarrierPair, carrierPair } from "../../support/carrier_pair.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { noise } from "../../support/local_services.ts";
import { type MemoryConnection, memoryPair } from "../../support/memory_connection.ts";
import { frameBytes, u32 } from "../../support/raw_carrier.ts";
import { turn, until } from "../../support/turns.ts";
import { concat, sameBytes } from "../engine/pieces.ts";
import { must, shapeOf, sizeOf, type Target } from "../engine/target.ts";
import { referenceFrames } from "./carrier_reference.ts";
import { Script } from "./script.ts";

/** Operations, in the order of their numbers: what the peer does, and what this side does. */
const OP = {
  raw: 0,
  frame: 1,
  data: 2,
  credit: 3,
  listen: 4,
  begin: 5,
  read: 6,
  write: 7,
  end: 8,
  abort: 9,
  move: 10,
  turn: 11,
  time: 12,
  cut: 13,
  retire: 14,
};
const OPERATIONS = Object.keys(OP).length;
/** Streams that a script begins. */
const MOST_STREAMS = 12;
/** Data that a script sends is like this, so that a byte too many shows. */
const PATTERN = noise(1 << 17, 77);

/** A stream, and what has passed on this side of it. */
class Used {
  readonly stream: Stream;
  readonly read: Uint8Array[] = [];
  written = 0;
  ended = false;
  #reading = false;
  #writing = false;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  readOn(max: number | undefined): void {
    if (this.#reading) return;
    this.#reading = true;
    this.stream.read(max).then((chunk) => {
      this.#reading = false;
      if (chunk === null) return;
      must(
        chunk.length > 0 && chunk.length <= (max ?? Infinity),
        `${chunk.length} of ${max} bytes`,
      );
      this.read.push(chunk.slice());
    }, expectOurs);
  }

  write(length: number): void {
    if (this.#writing || this.ended) return;
    this.#writing = true;
    const bytes = PATTERN.slice(this.written, this.written + length);
    this.written += bytes.length;
    this.stream.write(bytes).then(() => {
      this.#writing = false;
    }, expectOurs);
  }

  end(): void {
    if (this.#writing || this.ended) return;
    this.ended = true;
    this.stream.closeWrite().catch(expectOurs);
  }
}

function expectOurs(error: unknown): void {
  if (!(error instanceof RatholeError)) throw error;
}

/** Another carrier out of the same buffers, which must not notice. */
class Bystander {
  readonly #pair: CarrierPair;
  readonly #near: Stream;
  #rounds = 0;

  constructor(buffers: BufferStore) {
    this.#pair = carrierPair(memoryPair(), { buffers });
    this.#near = this.#pair.begin();
  }

  async served(): Promise<void> {
    await until(() => this.#pair.accepted.length === 1, "the bystander is accepted");
    const [far] = this.#pair.accepted;
    must(far !== undefined, "no stream");
    const bytes = noise(3000, ++this.#rounds);
    const sent = this.#near.write(bytes);
    const got = await collect(far, bytes.length);
    await sent;
    must(sameBytes(got, bytes), "the bystander got other bytes");
  }

  async stop(): Promise<void> {
    this.#pair.server.carrier.abort(new RatholeError("aborted", "over"));
    this.#pair.client.carrier.abort(new RatholeError("aborted", "over"));
    await turn();
  }
}

async function collect(stream: Stream, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let left = length; left > 0;) {
    const chunk = await stream.read(left);
    must(chunk !== null, "the end");
    parts.push(chunk.slice());
    left -= chunk.length;
  }
  return concat(parts);
}

/**
 * A carrier whose other end is a script's: an input says which end the carrier is, and what is done
 * at either. Whatever that is: nothing but what the peer has sent is read, nothing is sent that it
 * has not asked for, what is held stays within bounds, and it ends.
 */
export function carrierStreams(): Target {
  return {
    name: "carrier-streams",
    seeds: seeds(),
    tokens: [
      Uint8Array.of(OP.begin, OP.turn, OP.write, 0, 200),
      Uint8Array.of(OP.data, 1, 255, OP.turn, OP.read, 0, 0),
      Uint8Array.of(OP.credit, 1, 9),
      Uint8Array.of(OP.frame, 6, 1, 0, OP.turn),
      Uint8Array.of(OP.move, 0),
      Uint8Array.of(OP.time, 60),
    ],
    longest: 300,
    batch: 24,
    parallel: 12,
    run: attack,
  };
}

async function attack(input: Uint8Array): Promise<string> {
  const script = new Script(input);
  const opens = script.operand() % 2 === 0;
  const buffers = new BufferStore();
  const clock = new FakeClock();
  const counters = new CarrierCounters();
  const [own, peer] = memoryPair({ readSize: 1 + script.operand() * 64 });
  const used: Used[] = [];
  const routes: MemoryConnection[] = [];
  const carrier = new Carrier({
    connection: own,
    buffers,
    clock,
    counters,
    quiet: 30_000,
    bulky: () => {},
    accept: opens ? undefined : (stream) => {
      must(stream.id > 0 && used.every((one) => one.stream.id !== stream.id), "a number twice");
      used.push(new Used(stream));
    },
  });
  const bystander = new Bystander(buffers);
  const running = carrier.run();
  const sent: Uint8Array[] = [];
  const heard: Uint8Array[] = [];
  let sending = Promise.resolve();
  let listening = false;
  let begun = 0;
  const send = (bytes: Uint8Array) => {
    sending = sending.then(() => peer.write(bytes)).then(() => void sent.push(bytes)).catch(
      expectOurs,
    );
  };
  const listen = () => {
    if (listening) return;
    listening = true;
    peer.read().then((chunk) => {
      listening = false;
      if (chunk === null) return;
      heard.push(chunk.slice());
      listen();
    }, expectOurs);
  };
  const pick = () => used[script.operand() % Math.max(1, used.length)];
  for (let op = script.operation(OPERATIONS); op !== undefined; op = script.operation(OPERATIONS)) {
    if (op === OP.raw) send(script.chunk());
    if (op === OP.frame) {
      const [type, stream] = [script.operand() % 10, script.operand() % 16];
      send(frameBytes(type, stream, script.chunk()));
    }
    if (op === OP.data) {
      const [stream, length] = [script.operand() % 16, 1 + 64 * script.operand()];
      send(frameBytes(FRAME.data, stream, PATTERN.slice(length, 2 * length)));
    }
    if (op === OP.credit) {
      const [stream, power] = [script.operand() % 16, script.operand() % 33];
      send(frameBytes(FRAME.window, stream, u32(Math.min(2 ** power, 0xffff_ffff))));
    }
    if (op === OP.listen) listen();
    if (op === OP.begin && opens && carrier.open && begun < MOST_STREAMS) {
      used.push(new Used(carrier.begin(++begun, "forward-tcp")));
    }
    if (op === OP.read) {
      const max = (script.operand() % 4) * 1000;
      pick()?.readOn(max === 0 ? undefined : max);
    }
    if (op === OP.write) pick()?.write(1 + 256 * script.operand());
    if (op === OP.end) pick()?.end();
    if (op === OP.abort) pick()?.stream.abort(new RatholeError("closed", "the script says so"));
    if (op === OP.move) {
      const [route, end] = memoryPair();
      routes.push(end);
      pick()?.stream.moveTo({ connection: route });
    }
    if (op === OP.turn) await turn();
    if (op === OP.time) clock.tick(script.operand() * 1000);
    if (op === OP.cut) script.operand() % 2 === 0 ? peer.abort() : peer.reset();
    if (op === OP.retire) carrier.retire();
    const bound = (5 << 20) + counters.opened * (MOST_WINDOW + (1 << 16));
    must(carrier.queued <= bound, `${carrier.queued} bytes wait`);
  }
  await turn();
  await bystander.served();
  listen();
  for (let i = 0; i < 3; i++) await turn();
  carrier.abort(new RatholeError("aborted", "the script is over"));
  const { cut, reason } = await running;
  must(reason instanceof RatholeError, `${reason}`);
  must(carrier.streams === 0 && cut <= counters.opened, `${carrier.streams} left, ${cut} cut`);
  for (const { stream } of used) stream.abort();
  for (const route of routes) route.abort();
  peer.abort();
  await turn();
  must(clock.pending === 0, `${clock.pending} deadlines are left`);
  await bystander.served();
  await bystander.stop();
  judge(used, concat(sent), concat(heard));
  return `${opens} ${shapeOf(reason)} ${sizeOf(counters.opened)} ${counters.moved > 0} ${
    counters.stalls > 0
  } ${sizeOf(used.reduce((sum, { read }) => sum + read.length, 0))}`;
}

/** Fails unless both directions were what they may be. */
function judge(used: readonly Used[], sent: Uint8Array, heard: Uint8Array): void {
  const [theirs, ours] = [referenceFrames(sent), referenceFrames(heard)];
  must(!ours.error, "frames that are none");
  for (const { read, stream, written } of used) {
    const got = concat(read);
    const there = theirs.data.get(stream.id) ?? new Uint8Array(0);
    must(sameBytes(got, there.subarray(0, got.length)), `stream ${stream.id} read other bytes`);
    const said = ours.data.get(stream.id) ?? new Uint8Array(0);
    must(sameBytes(said, PATTERN.subarray(0, said.length)), `stream ${stream.id} sent other bytes`);
    must(said.length <= written, "bytes that nobody wrote");
    const allowed = INITIAL_WINDOW + (theirs.credit.get(stream.id) ?? 0);
    must(said.length <= allowed, `${said.length} bytes with credit for ${allowed}`);
  }
}

function seeds(): Uint8Array[] {
  const { abort, begin, credit, cut, data, end, frame, listen, move, raw, read, retire } = OP;
  const { time, turn, write } = OP;
  const two = [begin, begin, turn, listen];
  const opened = [frame, 1, 1, 1, 0, frame, 1, 2, 1, 1, listen, turn];
  const talk = [write, 0, 9, data, 1, 9, turn, read, 0, 0, read, 1, 0, turn];
  const bulk = [write, 0, 255, data, 1, 255, data, 1, 255, turn, read, 0, 0, turn, credit, 1, 17];
  const halves = [end, 0, frame, 4, 1, 0, turn, read, 0, 0, turn, read, 0, 0, turn];
  const moves = [move, 0, frame, 6, 1, 0, turn, write, 0, 9, read, 0, 0, turn, move, 0];
  const bad = [frame, 2, 9, 3, 1, 2, 3, turn];
  const scripts = [
    [...talk, ...halves],
    [...bulk, ...talk, write, 0, 255, turn],
    [...talk, ...moves],
    [...moves, time, 50, turn],
    [frame, 6, 1, 0, turn, time, 41, turn],
    [...talk, frame, 5, 1, 1, 0, turn, read, 0, 0, turn, write, 0, 9],
    [abort, 0, data, 1, 9, frame, 4, 1, 0, turn],
    [retire, ...halves, time, 6, turn],
    [data, 1, 255, data, 1, 255, data, 1, 255, turn],
    [credit, 1, 31, credit, 1, 31, credit, 1, 32, turn],
    [time, 31, turn, time, 11, turn],
    [frame, 7, 0, 0, frame, 8, 0, 0, frame, 9, 3, 2, 1, 1, turn],
    [frame, 1, 0, 1, 0, frame, 1, 0, 1, 0, turn],
    [raw, 5, 1, 0, 0, 0, 2, turn, cut, 0, turn],
    [...bulk, cut, 1, turn],
    bad,
  ];
  return scripts.flatMap((script) => [
    Uint8Array.from([0, 200, ...two, ...script]),
    Uint8Array.from([1, 200, ...opened, ...script]),
    Uint8Array.from([1, 0, ...opened, ...script]),
  ]);
}
