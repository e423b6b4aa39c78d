import assert from "node:assert/strict";
import fc from "fast-check";
import { durationProblem, MAX_SECONDS, parseDuration } from "./duration.ts";

Deno.test("times are numbers with units, in any order", () => {
  for (
    const [text, seconds] of [
      ["500ms", 0.5],
      ["1ms", 0.001],
      ["0s", 0],
      ["30s", 30],
      ["1m30s", 90],
      ["1m 30s", 90],
      ["2h", 7200],
      ["1d", 86_400],
      ["1s1s", 2],
      ["99999999999999999999d", MAX_SECONDS],
    ] as const
  ) assert.equal(parseDuration(text), seconds, text);
});

Deno.test("everything else is no time", () => {
  for (
    const text of ["", " ", "30", "s", "1.5h", "-1s", "1m ", " 1m", "1m  1s", "1M", "1 m", "1w"]
  ) {
    assert.equal(parseDuration(text), null, text);
    assert.match(durationProblem(text), /^.+; .+$/);
  }
});

Deno.test("property: milliseconds survive exactly", () => {
  fc.assert(fc.property(fc.nat(), (ms) => {
    assert.equal(Math.round((parseDuration(`${ms}ms`) ?? NaN) * 1000), ms);
  }));
});
