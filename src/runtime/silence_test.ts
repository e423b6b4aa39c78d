import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { SilenceWatch } from "./silence.ts";

Deno.test("silence is told once, patience after the last word, however words fell", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 99 })), (gaps) => {
    const clock = new FakeClock();
    let told = 0;
    const watch = new SilenceWatch(clock, 100, () => told++);
    for (const gap of gaps) {
      clock.tick(gap);
      watch.heard();
    }
    clock.tick(99);
    assert.equal(told, 0);
    clock.tick(1);
    assert.equal(told, 1);
    clock.tick(1_000);
    assert.equal(told, 1);
    assert.equal(clock.pending, 0);
  }));
});

Deno.test("words cost no deadline each, and a cancelled watch leaves none", () => {
  const clock = new FakeClock();
  const watch = new SilenceWatch(clock, 100, () => assert.fail("cancelled"));
  for (let i = 0; i < 50; i++) {
    watch.heard();
    clock.tick(30);
    watch.heard();
    assert.equal(clock.pending, 1);
  }
  watch.cancel();
  watch.heard();
  assert.equal(clock.pending, 0);
  clock.tick(1_000);
});
