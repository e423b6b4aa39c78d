import assert from "node:assert/strict";
import { free } from "./free.ts";

Deno.test("a buffer that is an array's own is given back at once", () => {
  const bytes = new Uint8Array(65_536);
  const { buffer } = bytes;
  free(bytes);
  assert.equal(buffer.detached, true);
  assert.equal(bytes.length, 0);
  free(bytes);
});

Deno.test("what others may see, what is small and what has no own memory stays", () => {
  const shared = new Uint8Array(65_536);
  free(shared.subarray(0, 8192));
  assert.equal(shared.length, 65_536);
  const small = new Uint8Array(4095);
  free(small);
  assert.equal(small.length, 4095);
  free(new Uint8Array(0));
});
