import { equal, match, throws } from "node:assert/strict";
import { FLOWING, rateBetween } from "./progress.ts";

const PRINTED = `00000000 9
1000000000000 0
1000000000050 1000
1000000000100 5000
1000000000150 7000
1000000000200 70`;

Deno.test("rateBetween - bytes per second, from the lines around that time", () => {
  equal(rateBetween(PRINTED, 1000000000050, 1000000000100), 80_000);
  equal(rateBetween(PRINTED, 1000000000060, 1000000000140), 60_000);
});

Deno.test("rateBetween - refuses what was not told, and a download that stood still", () => {
  throws(() => rateBetween(PRINTED, 1000000000100, 1000000000160), /nothing at its time/);
  throws(() => rateBetween(PRINTED, 999999999999, 1000000000100), /nothing at its time/);
  throws(() => rateBetween("1000000000000 5\n1000000000050 5\n", 1000000000000, 1000000000001), {
    message: "nothing was downloaded",
  });
});

Deno.test("FLOWING - once something has come", () => {
  match(PRINTED, FLOWING);
  equal(FLOWING.test("1000000000000 0\n"), false);
});
