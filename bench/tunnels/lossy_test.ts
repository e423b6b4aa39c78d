import { deepEqual } from "node:assert/strict";
import { namespacesIn } from "./lossy.ts";

Deno.test("namespacesIn - those of benchmarks, and who made them", () => {
  const list = "rathole-bench-123-0-far (id: 1)\nrathole-bench-45-7-router\nrathole-test-9-0\n" +
    "somebody's-rathole-bench-1-2\n";
  deepEqual(namespacesIn(list), [
    ["rathole-bench-123-0-far", "123"],
    ["rathole-bench-45-7-router", "45"],
  ]);
  deepEqual(namespacesIn(""), []);
});
