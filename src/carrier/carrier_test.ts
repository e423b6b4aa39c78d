import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { frameBytes } from "../../tests/support/raw_carrier.ts";
import { follow, turn, until } from "../../tests/support/turns.ts";
import { BufferStore } from "../net/buffers.ts";
import { Carrier, type CarrierOptions } from "./carrier.ts";
import { CarrierCounters } from "./counters.ts";
import { WindowBudget } from "./credit.ts";
import { FRAME } from "./frame.ts";
import { Receiving } from "./receiving.ts";
import type { Stream } from "./stream.ts";

/** A carrier, and the bare connection at its other end. */
function facing(options: Partial<CarrierOptions> = {}) {
  const [connection, far] = memoryPair();
  const clock = new FakeClock();
  const shared = { buffers: new BufferStore(), clock, counters: new CarrierCounters(), quiet: 0 };
  const carrier = new Carrier({ ...shared, connection, ...options });
  return { carrier, clock, far, over: follow(carrier.run()) };
}

const joined = (...frames: Uint8Array[]) => Uint8Array.from(frames.flatMap((it) => [...it]));

Deno.test("what came whole before a frame that ends the carrier reaches its reader", async () => {
  const { carrier, far, over } = facing();
  const stream = carrier.begin(1, "forward-tcp");
  await stream.closeWrite();
  const reading = follow(stream.read());
  await far.write(joined(
    frameBytes(FRAME.data, 1, Uint8Array.of(1, 2, 3)),
    frameBytes(FRAME.fin, 1),
    frameBytes(FRAME.open, 7, Uint8Array.of(0)),
  ));
  await until(() => over().state !== "pending", "the carrier's end");
  const got = reading();
  assert.equal(got.state, "fulfilled");
  assert.deepEqual(got.state === "fulfilled" && got.value, Uint8Array.of(1, 2, 3));
  assert.equal(await stream.read(), null);
});

Deno.test("a number that is in use cannot be opened again, even where numbers have gone round", async () => {
  const accepted: Stream[] = [];
  const { far, over } = facing({ accept: (stream) => void accepted.push(stream) });
  const opens = [1, 0x8000_0000, 0xffff_ffff, 1];
  await far.write(joined(...opens.map((id) => frameBytes(FRAME.open, id, Uint8Array.of(0)))));
  await until(() => over().state !== "pending", "the carrier's end");
  assert.equal(accepted.length, 3);
  for (const stream of accepted) await assert.rejects(stream.read(), /must not be opened/);
});

Deno.test("a window that is closed takes nothing more of the budget", () => {
  const budget = new WindowBudget();
  const all = budget.take(Infinity);
  budget.give(all);
  const receiving = new Receiving(new BufferStore(), budget);
  receiving.deliver(new Uint8Array(30_000));
  receiving.take(undefined);
  receiving.close();
  assert.equal(receiving.settle(), 0);
  assert.equal(budget.take(Infinity), all);
});

Deno.test("an end that never asks by itself asks once when it is told to", async () => {
  const { carrier, clock, far, over } = facing();
  carrier.probe();
  await turn();
  await far.write(frameBytes(FRAME.pong, 0));
  await turn();
  await clock.advance(100_000);
  assert.equal(over().state, "pending");
  assert.equal(clock.pending, 0);
  carrier.abort(new Error("the test is over"));
  await turn();
});
