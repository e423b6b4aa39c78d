import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import * as extension from "./extension.ts";

const split = (frame: Uint8Array) => ({
  type: frame[0] ?? -1,
  length: extension.extensionPayloadLength(frame.subarray(0, extension.EXTENSION_HEADER_LENGTH)),
  payload: frame.subarray(extension.EXTENSION_HEADER_LENGTH),
});

Deno.test("a hello and a heartbeat have the documented bytes and decode to themselves", () => {
  assert.equal(extension.encodeExtensionHello(5, 30_000).toHex(), "010900010500000030750000");
  assert.equal(extension.encodeExtensionHeartbeat().toHex(), "020000");
  const carrying = extension.encodeExtensionHello(extension.CARRIERS, 30_000, 4);
  assert.equal(carrying.toHex(), "010a0001010000003075000004");
  const heartbeat = split(extension.encodeExtensionHeartbeat());
  assert.deepEqual(extension.decodeExtension(heartbeat.type, heartbeat.payload), {
    type: "heartbeat",
  });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(fc.property(u32, u32, fc.nat(255), (features, heartbeatInterval, carriers) => {
    const hello = extension.encodeExtensionHello(features, heartbeatInterval, carriers);
    const frame = split(hello);
    assert.equal(frame.length, frame.payload.length);
    assert.deepEqual(extension.decodeExtension(frame.type, frame.payload), {
      type: "hello",
      features,
      heartbeatInterval,
      carriers,
    });
  }));
});

Deno.test("a longer hello of a later version is read as far as it is known", () => {
  const payload = new Uint8Array(40).fill(255);
  payload[9] = 2;
  payload.set(extension.encodeExtensionHello(3, 1000).subarray(3));
  payload[0] = 9;
  assert.deepEqual(extension.decodeExtension(1, payload), {
    type: "hello",
    features: 3,
    heartbeatInterval: 1000,
    carriers: 2,
  });
});

Deno.test("any bytes decode, are unknown, or are refused as a protocol error", () => {
  const payload = fc.uint8Array({ maxLength: 64 });
  fc.assert(fc.property(fc.nat(255), payload, payload, (type, payload, header) => {
    for (
      const attempt of [
        () => extension.decodeExtension(type, payload),
        () => extension.extensionPayloadLength(header),
      ]
    ) {
      try {
        attempt();
      } catch (error) {
        assert.ok(error instanceof RatholeError && error.code === "protocol");
      }
    }
  }));
  assert.deepEqual(extension.decodeExtension(77, new Uint8Array(3)), { type: "unknown" });
  assert.throws(() => extension.extensionPayloadLength(Uint8Array.of(1, 1, 4)), /1025 bytes/);
});
