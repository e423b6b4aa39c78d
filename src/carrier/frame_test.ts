import assert from "node:assert/strict";
import { FrameLog, referenceFrames } from "../../tests/fuzz/targets/carrier_reference.ts";
import { noise } from "../../tests/support/local_services.ts";
import { frameBytes, u32 } from "../../tests/support/raw_carrier.ts";
import {
  decodeCredit,
  encodeCredit,
  FRAME,
  FRAME_HEADER_LENGTH,
  FrameDecoder,
  MOST_CONTROL,
  MOST_DATA,
  writeHeader,
} from "./frame.ts";

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function decode(bytes: Uint8Array, cut: number): FrameLog {
  const log = new FrameLog();
  const decoder = new FrameDecoder();
  for (let at = 0; at < bytes.length; at += cut) {
    const chunk = bytes.slice(at, at + cut);
    decoder.decode(chunk, {
      data: (stream, part) => log.data(stream, part),
      control: (type, stream, payload) => log.control(type, stream, payload),
    });
    chunk.fill(0xdd);
  }
  return log;
}

const CONVERSATION = join([
  frameBytes(FRAME.open, 1, Uint8Array.of(0)),
  frameBytes(FRAME.data, 1, noise(MOST_DATA)),
  frameBytes(FRAME.data, 0xffff_fffe, noise(1)),
  frameBytes(FRAME.window, 1, u32(0xffff_ffff)),
  frameBytes(FRAME.ping, 0),
  frameBytes(77, 3, noise(MOST_CONTROL)),
  frameBytes(FRAME.fin, 1),
  frameBytes(FRAME.reset, 1, Uint8Array.of(2)),
]);

Deno.test("frames are the same however they are cut", () => {
  const reference = referenceFrames(CONVERSATION);
  assert.equal(reference.log.length, 8);
  for (const cut of [1, 2, 7, 8, 9, 100, 1024, 1032, 5000, Infinity]) {
    const log = decode(CONVERSATION, Math.min(cut, CONVERSATION.length));
    assert.deepEqual(log.lines, reference.log, `pieces of ${cut}`);
    assert.deepEqual(log.streams, reference.data);
  }
});

Deno.test("a header is little-endian: stream, type, length", () => {
  const bytes = new Uint8Array(FRAME_HEADER_LENGTH + 2);
  writeHeader(bytes, 1, 2, 0x8765_4321, 0x4000);
  assert.deepEqual([...bytes], [0, 0x21, 0x43, 0x65, 0x87, 2, 0, 0x40, 0, 0]);
});

Deno.test("credit is a u32; what follows it is room to grow", () => {
  for (const credit of [0, 1, 32_768, 0x7fff_ffff, 0xffff_ffff]) {
    assert.equal(decodeCredit(encodeCredit(credit)), credit);
    assert.equal(decodeCredit(Uint8Array.of(...encodeCredit(credit), 9, 9)), credit);
  }
  assert.throws(() => decodeCredit(Uint8Array.of(1, 2, 3)), { code: "protocol" });
});

Deno.test("lengths that are too large, and data of none, are refused as soon as they are known", () => {
  const bad: readonly (readonly [number, number])[] = [
    [FRAME.data, 0],
    [FRAME.data, MOST_DATA + 1],
    [FRAME.data, 0xff_ffff],
    [FRAME.fin, MOST_CONTROL + 1],
    [200, 0xff_ffff],
  ];
  for (const [type, length] of bad) {
    const header = frameBytes(type, 1, new Uint8Array(0), length);
    for (const cut of [1, 3, 8]) {
      assert.throws(() => decode(header, cut), { code: "protocol" }, `${type} of ${length}`);
    }
  }
});

Deno.test("what a sink throws is thrown, and half a frame says nothing", () => {
  const decoder = new FrameDecoder();
  const sink = {
    data() {
      throw new Error("from the sink");
    },
    control() {
      throw new Error("too early");
    },
  };
  decoder.decode(frameBytes(FRAME.window, 1, u32(5)).subarray(0, 11), sink);
  assert.throws(() => new FrameDecoder().decode(frameBytes(FRAME.data, 1, noise(5)), sink), {
    message: "from the sink",
  });
});
