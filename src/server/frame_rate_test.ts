import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { FrameRate } from "./frame_rate.ts";

/** How many frames are let through at this moment. */
function allowed(rate: FrameRate): number {
  for (let count = 0;; count++) {
    try {
      rate.count();
    } catch (error) {
      assert.ok(error instanceof RatholeError && error.code === "limit");
      assert.match(error.message, /more than 32 frames a second on its control channel/);
      return count;
    }
    assert.ok(count < 100_000, "there is no limit");
  }
}

Deno.test("a flood is over after 256 frames, and 32 a second are let through for ever", () => {
  const clock = new FakeClock();
  const flooded = new FrameRate(clock);
  assert.equal(allowed(flooded), 256);
  clock.tick(1_000);
  assert.equal(allowed(flooded), 32);
  const steady = new FrameRate(clock);
  for (let i = 0; i < 32 * 600; i++) {
    clock.tick(1_000 / 32);
    steady.count();
  }
});

Deno.test("the most impatient client's heartbeats, 60 s of them held up, are no flood", () => {
  const clock = new FakeClock();
  const rate = new FrameRate(clock);
  for (let minute = 0; minute < 10; minute++) {
    clock.tick(60_000);
    // heartbeat_timeout = "400ms" makes a heartbeat every 300 ms.
    for (let i = 0; i < 200; i++) rate.count();
  }
});

Deno.test("a long silence saves up no more than one burst", () => {
  const clock = new FakeClock();
  const rate = new FrameRate(clock);
  clock.tick(1e9);
  assert.equal(allowed(rate), 256);
});
