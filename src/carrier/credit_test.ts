import assert from "node:assert/strict";
import { INITIAL_WINDOW, MOST_WINDOW, ReceiveWindow, WindowBudget } from "./credit.ts";

/** A sender that sends all it may, and a reader that takes it: how much is under way in each round. */
function rounds(window: ReceiveWindow, count: number, chunk = Infinity): number[] {
  const sizes: number[] = [];
  let credit = INITIAL_WINDOW;
  for (let round = 0; round < count; round++) {
    sizes.push(credit);
    assert.equal(window.received(credit), true);
    let under = credit;
    credit = 0;
    while (under > 0) {
      const taken = Math.min(chunk, under);
      under -= taken;
      credit += window.taken(taken);
    }
  }
  return sizes;
}

Deno.test("a window begins small, doubles, and stays at the most", () => {
  for (const chunk of [Infinity, 16_384, 1_000]) {
    const sizes = rounds(new ReceiveWindow(new WindowBudget()), 200, chunk);
    assert.equal(sizes[0], INITIAL_WINDOW);
    assert.ok(sizes.some((size) => size > MOST_WINDOW / 2), `${sizes.slice(0, 20)}`);
    assert.ok(sizes.every((size) => size > 0 && size <= MOST_WINDOW), `${sizes.slice(0, 20)}`);
  }
});

Deno.test("credit is granted in halves of the window, not for every byte", () => {
  const window = new ReceiveWindow(new WindowBudget());
  assert.equal(window.received(INITIAL_WINDOW), true);
  assert.equal(window.taken(INITIAL_WINDOW / 2 - 1), 0);
  assert.ok(window.taken(1) >= INITIAL_WINDOW / 2);
});

Deno.test("a byte without credit is one too many", () => {
  const window = new ReceiveWindow(new WindowBudget());
  assert.equal(window.received(INITIAL_WINDOW), true);
  assert.equal(window.received(1), false);
  const other = new ReceiveWindow(new WindowBudget());
  other.received(INITIAL_WINDOW);
  const more = other.taken(INITIAL_WINDOW);
  assert.equal(other.received(more), true);
  assert.equal(other.received(1), false);
});

Deno.test("what is under way never exceeds what was granted, whatever is taken when", () => {
  const window = new ReceiveWindow(new WindowBudget());
  let [credit, held, seed] = [INITIAL_WINDOW, 0, 1];
  for (let step = 0; step < 20_000; step++) {
    seed = (seed * 1_103_515_245 + 12_345) % 0x8000_0000;
    const amount = 1 + seed % 20_000;
    if (seed % 3 === 0) {
      const sent = Math.min(amount, credit);
      if (sent === 0) continue;
      assert.equal(window.received(sent), true);
      credit -= sent;
      held += sent;
    } else {
      const taken = Math.min(amount, held);
      held -= taken;
      credit += window.taken(taken);
    }
    assert.ok(held + credit <= MOST_WINDOW, `${held} held, ${credit} more may come`);
    // Somebody who has taken all can always be sent more.
    assert.ok(held > 0 || credit >= INITIAL_WINDOW / 2, `${credit} left`);
  }
});

Deno.test("windows together grow by a budget, and give back what they had", () => {
  const budget = new WindowBudget();
  const windows = Array.from({ length: 500 }, () => new ReceiveWindow(budget));
  const largest = (window: ReceiveWindow) => Math.max(...rounds(window, 20));
  const sizes = windows.map(largest);
  const extra = sizes.reduce((sum, size) => sum + size - INITIAL_WINDOW, 0);
  assert.ok(extra <= 16 << 20, `${extra} bytes beyond the initial windows`);
  assert.equal(sizes.at(-1), INITIAL_WINDOW);
  // Those without a share go on with what they have.
  assert.ok(sizes.every((size) => size >= INITIAL_WINDOW));
  for (const window of windows) window.close();
  assert.ok(largest(new ReceiveWindow(budget)) > MOST_WINDOW / 2);
  const all = budget.take(Infinity);
  assert.ok(all > (16 << 20) - MOST_WINDOW && all <= 16 << 20, `${all} left`);
});
