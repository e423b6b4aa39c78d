import assert from "node:assert/strict";
import { Numbers } from "./numbers.ts";

Deno.test("numbers that are ahead by less than half of all are new, across the last", () => {
  const numbers = new Numbers();
  // A session may have opened any number of streams before this carrier's first.
  for (const first of [1, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff]) {
    assert.ok(new Numbers().isNew(first), `${first} comes first`);
  }
  numbers.opened(0xffff_fffe);
  assert.ok(numbers.isNew(0xffff_ffff));
  assert.ok(numbers.isNew(1));
  assert.ok(numbers.isNew(0x7fff_ff00));
  assert.ok(!numbers.isNew(0xffff_fffe));
  assert.ok(!numbers.isNew(0x8000_0000));
  numbers.opened(1);
  assert.ok(!numbers.isNew(0xffff_ffff));
  assert.ok(numbers.isNew(2));
});

Deno.test("0 is nobody's number, whatever was opened", () => {
  const numbers = new Numbers();
  assert.ok(numbers.isNew(0));
  numbers.opened(7);
  assert.ok(numbers.isNew(0));
});
