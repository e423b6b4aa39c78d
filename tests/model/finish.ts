/**
 * The end of every run: everything is let through, and nothing may be left.
 *
 * @module
 */

import { abort, arriveAll, offer } from "./actions.ts";
import type { EndModel } from "./end_model.ts";
import type { StreamModel } from "./stream_model.ts";
import type { World } from "./world.ts";

/** Rounds after which a run is taken never to end. */
const MOST_ROUNDS = 3_000;
/** Milliseconds after which nobody waits for anything any more. */
const LONG = 41_000;
/** Rounds without anything new before time passes. */
const PATIENCE = 3;

/** Brings a run to its end, and judges what is left. */
export async function finish(world: World): Promise<void> {
  const style = world.setting("finish");
  if ((style & 1) !== 0) retireBoth(world);
  world.widen();
  let idle = 0;
  let waited = false;
  for (let round = 0; world.violation === undefined; round++) {
    if (round > MOST_ROUNDS) return world.violate("the run does not end");
    const before = progress(world);
    const arrived = arriveAll(world);
    if ((style & 2) === 0) await world.settle();
    else await world.breathe();
    for (const stream of world.streams) endStream(world, stream, style);
    await world.settle();
    idle = arrived || progress(world) !== before ? 0 : idle + 1;
    if (idle < PATIENCE) continue;
    idle = 0;
    if (world.streams.every(isOver)) break;
    const stuck = world.streams.find((stream) => !stream.cut && !isOver(stream));
    if (stuck !== undefined) return world.violate(`stream ${stuck.index} does not end`);
    if (waited) return world.violate("streams that were cut do not end");
    waited = true;
    world.tick(LONG);
    await world.settle();
  }
  if (world.violation !== undefined) return;
  await endCarriers(world);
  if (world.violation === undefined) judge(world);
}

function retireBoth(world: World): void {
  world.trace("both retire");
  for (const carrier of world.carriers) carrier.retire();
}

/** What both ends of a stream do next, as a visitor and a service do that have no more to say. */
function endStream(world: World, stream: StreamModel, style: number): void {
  const { channel, ends } = stream;
  if (channel === undefined && (style & 4) !== 0) offer(world, stream);
  if (channel !== undefined) {
    // The server uses what it has asked for, and the client hears of it, in either order.
    const clientFirst = (style & 8) !== 0;
    if (!channel.used[0] && (!clientFirst || channel.used[1])) world.move(stream);
    if (!channel.used[1]) world.tell(stream);
  }
  for (const end of ends) endEnd(world, end, (style & 16) !== 0);
}

function endEnd(world: World, end: EndModel, abrupt: boolean): void {
  if (end.stream === undefined || end.failed !== undefined) return;
  // An error at either side ends both, as where two connections are pumped together.
  if (end.error !== undefined) return abort(world, end, end.error);
  if (end.writer === undefined && !end.ended) end.closeWrite();
  if (end.reader === undefined && !end.sawEnd) end.read(undefined);
  const quit = end.ended && end.writer === undefined && end.sawEnd;
  if (quit) abort(world, end);
  else if (abrupt && end.side === 1 && end.of.index === 1) abort(world, end);
}

function isOver({ channel, ends }: StreamModel): boolean {
  const over = ends.every((end) =>
    end.stream === undefined ||
    end.failed !== undefined && end.reader === undefined && end.writer === undefined
  );
  return over && (channel === undefined || channel.used[0] && channel.used[1]);
}

/** Changes whenever something has happened. */
function progress(world: World): number {
  let sum = 0;
  for (const { channel, ends } of world.streams) {
    if (channel !== undefined) sum += 1 + Number(channel.used[0]) + Number(channel.used[1]);
    for (const end of ends) {
      sum += end.taken + end.written + end.arrived;
      for (const flag of [end.sawEnd, end.ended, end.over, end.failed, end.error, end.stream]) {
        if (flag !== undefined && flag !== false) sum++;
      }
    }
  }
  return sum;
}

async function endCarriers(world: World): Promise<void> {
  retireBoth(world);
  for (let round = 0; round < 20; round++) {
    arriveAll(world);
    await world.settle();
    if (world.violation !== undefined) return;
    if (world.carriers.every(({ over }) => over)) return;
  }
  world.violate("a carrier that was left does not end");
}

function judge(world: World): void {
  for (const { carrier, counters, side } of world.carriers) {
    if (carrier.streams > 0) world.violate(`${carrier.streams} streams are left`);
    if (carrier.queued > 0) world.violate(`${carrier.queued} bytes are left`);
    world.tally.count("stalls for credit", counters.stalls);
    const moved = world.streams.filter(({ ends }) => ends[side].route !== undefined).length;
    if (counters.moved !== moved) world.violate(`${counters.moved} streams moved, not ${moved}`);
  }
  const { pending } = world.clock;
  if (pending > 0) world.violate(`${pending} deadlines are left`);
  for (const wire of world.wires) {
    if (wire.ends.some((end) => !end.aborted)) world.violate("a connection is left open");
  }
  for (const { channel, cut, ends, index } of world.streams) {
    if (channel !== undefined && channel.released !== 1) {
      world.violate(`stream ${index}'s channel was released ${channel.released} times`);
    }
    for (const end of ends) {
      end.checkLent();
      if (cut) continue;
      world.tally.count("directions that came whole");
      if (end.taken === end.other.offered && end.sawEnd) continue;
      world.violate(`stream ${index}: ${end.taken} of ${end.other.offered} bytes`);
    }
  }
}
