import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import { HEADER_ROOM, OPCODE, type Opcode, writeFrameHeader } from "./frame.ts";
import { FrameDecoder } from "./frame_decoder.ts";
import { applyMask } from "./mask.ts";

const NOTHING = new Uint8Array(0);
const KEY = 0x7b_c1_05_e9;

/** A frame as a client sends it, or a server. */
function frame(opcode: Opcode, payload = NOTHING, { final = true, masked = true } = {}): number[] {
  const bytes = new Uint8Array(HEADER_ROOM + payload.length);
  bytes.set(payload, HEADER_ROOM);
  if (masked) applyMask(bytes, HEADER_ROOM, bytes.length, KEY);
  const key = masked ? KEY : null;
  const start = writeFrameHeader(bytes, HEADER_ROOM, opcode, payload.length, key);
  if (!final) bytes[start] = opcode;
  return Array.from(bytes.subarray(start));
}

/** What a decoder makes of chunks: payload as hexadecimal, control frames by name. */
function decode(
  chunks: Iterable<readonly number[] | Uint8Array>,
  { sender = "client", max = Infinity }: { sender?: "client" | "server"; max?: number } = {},
): { payload: Uint8Array; events: string[]; decoder: FrameDecoder } {
  const decoder = new FrameDecoder(sender);
  const payload: number[] = [];
  const events: string[] = [];
  for (const chunk of chunks) {
    decoder.push(Uint8Array.from(chunk));
    for (let step = decoder.next(max); step !== "more"; step = decoder.next(max)) {
      if (typeof step !== "string") {
        assert.ok(step.length >= 1 && step.length <= max);
        for (const byte of step) payload.push(byte);
      } else if (step === "ping") events.push(`ping ${decoder.control.toHex()}`);
      else {
        events.push(step);
        return { payload: Uint8Array.from(payload), events, decoder };
      }
    }
  }
  return { payload: Uint8Array.from(payload), events, decoder };
}

function cut(bytes: readonly number[], at: readonly number[]): number[][] {
  const places = at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.slice(i === 0 ? 0 : places[i - 1], end));
}

Deno.test("whatever was sent, in whatever pieces it comes, its payload is one stream", () => {
  const part = fc.record({
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((n) => new Uint8Array(n).fill(n)),
    ),
    final: fc.boolean(),
    before: fc.constantFrom("", "ping", "pong", "empty"),
  });
  const cuts = fc.array(fc.nat(300_000), { maxLength: 30 });
  const max = fc.constantFrom(Infinity, 1, 4, 1000, 100_000);
  const property = fc.property(
    fc.array(part, { maxLength: 5 }),
    cuts,
    max,
    fc.boolean(),
    (parts, at, max, masked) => {
      const bytes: number[] = [];
      const expected: number[] = [];
      const pings: string[] = [];
      let inside = false;
      for (const { payload, final, before } of parts) {
        if (before === "ping") {
          const hello = payload.slice(0, 125);
          bytes.push(...frame(OPCODE.ping, hello, { masked }));
          pings.push(`ping ${hello.toHex()}`);
        }
        if (before === "pong") bytes.push(...frame(OPCODE.pong, payload.slice(0, 9), { masked }));
        if (before === "empty" && !inside) bytes.push(...frame(OPCODE.binary, NOTHING, { masked }));
        const opcode = inside ? OPCODE.continuation : OPCODE.binary;
        for (const byte of frame(opcode, payload, { final, masked })) bytes.push(byte);
        for (const byte of payload) expected.push(byte);
        inside = !final;
      }
      const sender = masked ? "client" : "server";
      const got = decode(cut(bytes, at), { sender, max });
      assert.equal(got.payload.toHex(), Uint8Array.from(expected).toHex());
      assert.deepEqual(got.events, pings);
      assert.equal(got.decoder.atBoundary, !inside);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

Deno.test("small frames of one chunk are lent together, large ones by themselves", () => {
  const lent = (size: number) => {
    const decoder = new FrameDecoder("client");
    const one = frame(OPCODE.binary, new Uint8Array(size).fill(7));
    decoder.push(Uint8Array.from([...one, ...one, ...one]));
    const step = decoder.next(Infinity);
    return typeof step === "string" ? step : step.length;
  };
  assert.equal(lent(8192), 3 * 8192);
  assert.equal(lent(20_000), 20_000);
});

const wrong: Record<string, readonly [bytes: number[], reason: RegExp]> = {
  "text": [frame(OPCODE.text, Uint8Array.of(65)), /text/],
  "an unmasked frame": [frame(OPCODE.binary, NOTHING, { masked: false }), /an unmasked frame/],
  "reserved bit 1": [[0xc2, 0x80], /reserved bits/],
  "reserved bit 2": [[0xa2, 0x80], /reserved bits/],
  "reserved bit 3": [[0x92, 0x80], /reserved bits/],
  "an unknown data frame": [[0x83, 0x80], /unknown kind 3/],
  "an unknown control frame": [[0x8b, 0x80], /unknown kind 11/],
  "a fragment of nothing": [frame(OPCODE.continuation), /a fragment of no message/],
  "a message within a message": [
    [...frame(OPCODE.binary, NOTHING, { final: false }), ...frame(OPCODE.binary)],
    /within another/,
  ],
  "a ping in fragments": [frame(OPCODE.ping, NOTHING, { final: false }), /in fragments/],
  "a ping of 126 bytes": [[0x89, 0xfe], /more than 125 bytes/],
  "a ping of a long length": [[0x89, 0xff], /more than 125 bytes/],
  "a close of one byte": [[0x88, 0x81], /one byte/],
  "a length of 125 in 16 bits": [[0x82, 0xfe, 0, 125, 1, 2, 3, 4], /more bytes than it needs/],
  "a length of 65535 in 64 bits": [
    [0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4],
    /more bytes than it needs/,
  ],
  "a frame of 16 MiB and a byte": [
    [0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 1, 2, 3, 4],
    /more than 16 MiB/,
  ],
  "a frame of 2^63 bytes": [
    [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
    /more than 16 MiB/,
  ],
  "a frame of 2^32 bytes": [[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4], /more than 16 MiB/],
};

for (const [name, [bytes, reason]] of Object.entries(wrong)) {
  Deno.test(`${name} is refused, once what came before was given, and again`, () => {
    const before = frame(OPCODE.binary, Uint8Array.of(1, 2, 3));
    for (const chunks of [[[...before, ...bytes]], [...before, ...bytes].map((byte) => [byte])]) {
      const decoder = new FrameDecoder("client");
      const got: number[] = [];
      const run = () => {
        for (const chunk of chunks) {
          decoder.push(Uint8Array.from(chunk));
          for (let step = decoder.next(Infinity); step !== "more"; step = decoder.next(Infinity)) {
            if (typeof step !== "string") got.push(...step);
          }
        }
      };
      const expected = { name: "RatholeError", code: "protocol", message: reason };
      assert.throws(run, expected);
      assert.deepEqual(got, [1, 2, 3]);
      assert.throws(() => decoder.next(1), expected);
    }
  });
}

Deno.test("a client refuses masked frames", () => {
  const run = () => decode([frame(OPCODE.binary)], { sender: "server" });
  assert.throws(run, { code: "protocol", message: /a masked frame/ });
});

Deno.test("a message has at most 64 MiB, in however many frames", () => {
  const decoder = new FrameDecoder("server");
  const full = Uint8Array.from([0x00, 127, 0, 0, 0, 0, 1, 0, 0, 0]);
  const payload = new Uint8Array(16 << 20);
  for (let i = 0; i < 4; i++) {
    decoder.push(full.with(0, i === 0 ? 2 : 0));
    assert.equal(decoder.next(Infinity), "more");
    decoder.push(payload);
    assert.equal(decoder.next(Infinity).length, payload.length);
    assert.equal(decoder.next(Infinity), "more");
  }
  decoder.push(Uint8Array.of(0x80, 1));
  assert.throws(() => decoder.next(Infinity), { code: "protocol", message: /more than 64 MiB/ });
});

Deno.test("a Close frame is told after the payload, with or without a reason in it", () => {
  for (const reason of [NOTHING, Uint8Array.of(3, 232, 98, 121, 101)]) {
    const bytes = [...frame(OPCODE.binary, Uint8Array.of(9)), ...frame(OPCODE.close, reason)];
    for (const chunks of [[bytes], bytes.map((byte) => [byte])]) {
      const { payload, events } = decode(chunks);
      assert.deepEqual(payload, Uint8Array.of(9));
      assert.deepEqual(events, ["close"]);
    }
  }
});

Deno.test("no bytes make it do anything but give what it has, or throw a `protocol` error", () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(chunks, fc.boolean(), (chunks, server) => {
      try {
        decode(chunks, { sender: server ? "server" : "client" });
      } catch (error) {
        assert.ok(error instanceof RatholeError && error.code === "protocol");
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a flood of frames without payload is an error; as many in several chunks are not", () => {
  const pings = new Uint8Array(2 * 5000);
  for (let at = 0; at < pings.length; at += 2) pings[at] = 0x89;
  const steps = (chunks: readonly Uint8Array[]) => {
    const decoder = new FrameDecoder("server");
    for (const chunk of chunks) {
      decoder.push(chunk.slice());
      while (decoder.next(1000) !== "more");
    }
  };
  steps([pings.subarray(0, 6000), pings.subarray(6000)]);
  assert.throws(() => steps([pings]), { code: "protocol", message: /flood/ });
  const empty = new Uint8Array(2 * 5000);
  for (let at = 0; at < empty.length; at += 2) empty[at] = at === 0 ? 0x02 : 0;
  assert.throws(() => steps([empty]), { code: "protocol", message: /flood/ });
});
