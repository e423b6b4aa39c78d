import assert from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { HandshakeRates } from "./handshake_rates.ts";

Deno.test("handshake rates: each network has its own, and 16,384 are remembered", () => {
  const clock = new FakeClock();
  const rates = new HandshakeRates(() => 1, clock);
  for (let i = 0; i < 100_000; i++) {
    assert.ok(rates.take(`network ${i}`));
    if (i % 1000 === 0) clock.tick(10);
  }
  assert.equal(rates.size, 16_384);
  clock.tick(20_000);
  assert.ok(rates.take("late"));
  assert.equal(rates.size, 1, "full ones are forgotten");
});

Deno.test("handshake rates: what is given back can be taken again, a changed rate counts at once", () => {
  const clock = new FakeClock();
  let perSecond = 1;
  const rates = new HandshakeRates(() => perSecond, clock);
  for (let i = 0; i < 10; i++) assert.ok(rates.take("a"));
  assert.ok(!rates.take("a"));
  rates.giveBack("a");
  assert.ok(rates.take("a"));
  assert.ok(!rates.take("a"));
  perSecond = 100;
  clock.tick(1000);
  for (let i = 0; i < 100; i++) assert.ok(rates.take("a"));
  assert.ok(!rates.take("a"));
});
