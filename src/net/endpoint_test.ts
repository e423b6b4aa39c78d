import assert from "node:assert/strict";
import fc from "fast-check";
import { endpointHash, endpointKey } from "./endpoint.ts";

const ip = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const port = fc.integer({ min: 0, max: 65_535 });

Deno.test("keys are equal for equal endpoints and different for different ones", () => {
  fc.assert(fc.property(ip, port, ip, port, (ipA, portA, ipB, portB) => {
    assert.equal(endpointKey(ipA, portA), endpointKey(ipA.slice(), portA));
    const same = portA === portB && ipA.toHex() === ipB.toHex();
    assert.equal(endpointKey(ipA, portA) === endpointKey(ipB, portB), same);
  }));
});

Deno.test("neighbours in any byte, and the extremes, keep keys of their own", () => {
  const keys = new Set<unknown>();
  for (const length of [4, 16]) {
    for (let at = 0; at < length; at++) {
      for (const value of [1, 255]) {
        for (const p of [0, 1, 256, 65_535]) {
          const bytes = new Uint8Array(length);
          bytes[at] = value;
          keys.add(endpointKey(bytes, p));
        }
      }
    }
  }
  assert.equal(keys.size, (4 + 16) * 2 * 4);
  assert.ok(Number.isSafeInteger(endpointKey(new Uint8Array(4).fill(255), 65_535)));
});

Deno.test("visitors of one address, and of one port, spread over few buckets", () => {
  for (const buckets of [2, 3, 8]) {
    const counts = new Array<number>(buckets).fill(0);
    for (let i = 0; i < 1_000; i++) {
      const onePort = endpointHash(Uint8Array.of(10, 0, i >> 8, i & 255), 5353) % buckets;
      const oneIp = endpointHash(Uint8Array.of(192, 0, 2, 1), 40_000 + i) % buckets;
      for (const bucket of [onePort, oneIp]) counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const fair = 2_000 / buckets;
    for (const count of counts) assert.ok(count > fair * 0.7 && count < fair * 1.3, `${counts}`);
  }
});
