import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { preferring } from "./prefer.ts";

const never = new AbortController().signal;

/** Hangs until its signal is aborted, as a dial does whose packets nobody answers. */
const blackHole = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

Deno.test("the preferred attempt wins where it works, and the other is not made", async () => {
  const clock = new FakeClock();
  const other = () => assert.fail("made");
  assert.equal(await preferring(() => Promise.resolve("v6"), other, clock, never), "v6");
  assert.equal(clock.pending, 0);
});

Deno.test("the other is made where the preferred one fails", async () => {
  const refused = () => Promise.reject(new Error("refused"));
  const clock = new FakeClock();
  assert.equal(await preferring(refused, () => Promise.resolve("v4"), clock, never), "v4");
  assert.equal(clock.pending, 0);
});

Deno.test("the other is made after two seconds of no answer", async () => {
  const clock = new FakeClock();
  const dialling = preferring(blackHole, () => Promise.resolve("v4"), clock, never);
  clock.tick(1999);
  assert.equal(clock.pending, 1);
  clock.tick(1);
  assert.equal(await dialling, "v4");
});

Deno.test("an abort ends the preferred attempt, and the other is not made", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const dialling = preferring(blackHole, () => assert.fail("made"), clock, controller.signal);
  controller.abort(new Error("stop"));
  await assert.rejects(dialling, /stop/);
  assert.equal(clock.pending, 0);
});
