/**
 * The steps of a schedule: what they mean depends on what there is at the moment, so that any part
 * of a schedule is one.
 *
 * @module
 */

import { RatholeError } from "../../src/runtime/errors.ts";
import { abortEnd } from "./carrier_model.ts";
import type { EndModel } from "./end_model.ts";
import { MOST_BYTES, MOST_STREAMS, pattern } from "./pattern.ts";
import { type Step, STEPS } from "./schedule.ts";
import type { StreamModel } from "./stream_model.ts";
import type { Side, Wire } from "./wire.ts";
import { SIDES, type World } from "./world.ts";

const READS = [undefined, 1, 10, 1_000, 16_384, 100_000] as const;
const WRITES = [
  [1, 10, 500, 4_000],
  [1, 100, 5_000, 16_384, 16_385, 0],
  [10, 16_384, 20_000, 32_768, 40_000],
  [1, 30_000, 70_000, 100_000, 250_000],
] as const;
const ARRIVALS = [1, 4, 7, 8, 9, 13, 100, 1_000, 8_200, 16_392, 50_000] as const;
const TICKS = [1, 1_000, 4_900, 5_000, 9_900, 15_000, 20_100, 40_000] as const;

/** Makes a reason to abort for. */
const REASONS: readonly (() => unknown)[] = [
  () => undefined,
  () => new RatholeError("aborted", "the test's reason"),
  () => undefined,
  () => new RatholeError("connect", "the test's service is not there"),
  () => new Error("the test's own error"),
  () => new RatholeError("resolve", "the test's service has no address"),
];

/** Does a step. */
export function perform(world: World, [kind, a, b, c]: Step): void {
  const name = STEPS[kind] ?? "open";
  switch (name) {
    case "open":
      return open(world);
    case "read":
      return withEnd(world, a, (end) => end.read(pick(READS, b)));
    case "write":
      return withEnd(
        world,
        a,
        (end) => write(world, end, pick(pick(WRITES, world.setting("bulk")), b)),
      );
    case "end":
      return withEnd(world, a, (end) => end.closeWrite());
    case "abort":
      return withEnd(world, a, (end) => abort(world, end, pick(REASONS, b)()));
    case "arrive":
      return arrive(world, a, pick(ARRIVALS, b) + c % 3);
    case "arrive all":
      arriveAll(world, b % 3);
      return;
    case "offer":
      return withStream(world, a, (stream) => offer(world, stream));
    case "move":
      return withChannel(world, a, 0, (stream) => world.move(stream));
    case "tell":
      return withChannel(world, a, 1, (stream) => world.tell(stream));
    case "cut channel":
      return withStream(world, a, (stream) => cutChannel(world, stream, b % 3));
    case "cut carrier":
      return cutCarrier(world, b % 3);
    case "retire":
      world.trace(`${a % 2 === 0 ? "server" : "client"} retires`);
      return world.carriers[a % 2 === 0 ? 0 : 1].retire();
    case "block":
      return block(world, a);
    case "tick":
      world.trace(`tick ${pick(TICKS, b)}`);
      return world.tick(pick(TICKS, b));
  }
}

/** Aborts an end of a stream. */
export function abort(world: World, end: EndModel, reason?: unknown): void {
  if (end.stream === undefined) return;
  if (end.failed === undefined && (end.known || !end.sawEnd || !end.ended)) {
    world.tally.count(`aborts ${reason === undefined ? "without" : "with"} a reason`);
    if (end.known && end.route !== undefined) world.tally.count("aborts while half moved");
  }
  abortEnd(end, reason);
}

/** Opens a data channel for a stream, which either end may come to use. */
export function offer(world: World, stream: StreamModel): void {
  if (stream.channel !== undefined) return;
  world.trace(`channel for stream ${stream.index}`);
  const wire = world.makeWire("channel");
  const first = world.setting("first") === 1 ? wire.ends[0].read() : undefined;
  // As the pool does, which wants to know when it is lost.
  first?.catch(() => {});
  stream.channel = { wire, first, used: [false, false], released: 0 };
  world.tally.count("channels offered");
}

/** Everything that is under way arrives; whether there was anything. */
export function arriveAll(world: World, which = 0): boolean {
  let any = false;
  for (const wire of world.wires) {
    if (which === 1 && wire !== world.wire || which === 2 && wire === world.wire) continue;
    for (const from of SIDES) {
      if (!wire.deliverable(from)) continue;
      any = true;
      wire.deliver(from, Infinity);
    }
  }
  if (any) world.trace(`everything arrives${[" ", " on the carrier", " on channels"][which]}`);
  return any;
}

function open(world: World): void {
  if (!world.carriers[0].carrier.open) return;
  if (world.streams.length >= Math.min(MOST_STREAMS, 1 + world.setting("streams"))) return;
  world.trace(`open stream ${world.streams.length}`);
  world.open();
}

function write(world: World, end: EndModel, bytes: number): void {
  const { ended, offered, writer } = end;
  if (writer !== undefined || ended || offered + bytes > MOST_BYTES) return;
  const own = pattern(end.of.index, end.side, offered, bytes);
  const scratch = world.setting("scratch") === 1;
  end.write(scratch ? own.slice() : own, scratch);
  world.tally.count("writes");
}

function arrive(world: World, which: number, bytes: number): void {
  const ways: [Wire, Side][] = [];
  for (const wire of world.wires) {
    for (const from of SIDES) if (wire.deliverable(from)) ways.push([wire, from]);
  }
  if (ways.length === 0) return;
  const [wire, from] = pick(ways, which);
  if (world.traced) {
    const index = world.streams.findIndex(({ channel }) => channel?.wire === wire);
    const what = index < 0 ? "the carrier" : `stream ${index}'s channel`;
    const flight = wire.flight(from);
    world.trace(`${bytes} of ${flight} from the ${from === 0 ? "server" : "client"} on ${what}`);
  }
  wire.deliver(from, bytes);
}

function cutChannel(world: World, stream: StreamModel, mode: number): void {
  const { channel } = stream;
  if (channel === undefined || channel.wire.cut) return;
  const [server, client] = stream.ends;
  const when = [server, client].filter(({ route }) => route !== undefined).length;
  world.tally.count(`channels cut, ${["before", "half", "after"][when]} the move`);
  world.trace(`channel of stream ${stream.index} cut, mode ${mode}`);
  stream.loseChannel();
  if (mode === 0) return channel.wire.reset();
  const reason = new Error("the test's reason to end a channel");
  stream.reasons.push(reason);
  channel.wire.ends[mode === 1 ? 0 : 1].abort(reason);
}

function cutCarrier(world: World, mode: number): void {
  world.trace(`carrier cut, mode ${mode}`);
  if (mode === 0) return world.wire.reset();
  const reason = new RatholeError("aborted", "the test's reason to end a carrier");
  world.carriers[mode === 1 ? 0 : 1].kill(reason);
}

function block(world: World, which: number): void {
  const wire = pick(world.wires, which >> 1);
  const from: Side = which % 2 === 0 ? 0 : 1;
  world.trace(
    `wire ${world.wires.indexOf(wire)} from ${from} ${wire.blocked(from) ? "un" : ""}blocked`,
  );
  wire.block(from, !wire.blocked(from));
}

function withEnd(world: World, which: number, act: (end: EndModel) => void): void {
  withStream(world, which >> 1, ({ ends }) => {
    const end = ends[which % 2 === 0 ? 0 : 1];
    if (end.stream !== undefined) act(end);
  });
}

function withStream(world: World, which: number, act: (stream: StreamModel) => void): void {
  if (world.streams.length > 0) act(pick(world.streams, which));
}

/** A stream whose channel that end has not been asked to use. */
function withChannel(
  world: World,
  which: number,
  side: Side,
  act: (stream: StreamModel) => void,
): void {
  const offered = world.streams.filter(({ channel }) => channel?.used[side] === false);
  if (offered.length > 0) act(pick(offered, which));
}

function pick<T>(all: readonly T[], index: number): T {
  return all[index % all.length] as T;
}
