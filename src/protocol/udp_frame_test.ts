import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import { MAX_UDP_FRAME, UdpFrameDecoder, udpFrameLength, writeUdpFrame } from "./udp_frame.ts";

interface Datagram {
  ip: Uint8Array;
  port: number;
  payload: Uint8Array;
}

const ip = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const datagram: fc.Arbitrary<Datagram> = fc.record({
  ip,
  port: fc.nat(65_535),
  payload: fc.uint8Array({ maxLength: 300 }),
}, { noNullPrototype: true });

function encode({ ip, port, payload }: Datagram): Uint8Array {
  const bytes = new Uint8Array(udpFrameLength(ip, payload));
  assert.equal(writeUdpFrame(bytes, 0, ip, port, payload), bytes.length);
  return bytes;
}

function decodeAll(chunks: Uint8Array[]): Datagram[] {
  const decoder = new UdpFrameDecoder();
  const seen: Datagram[] = [];
  for (const chunk of chunks) {
    const buffer = chunk.slice();
    const lent: Datagram[] = [];
    lent.push(...decoder.decode(buffer));
    for (const { ip, port, payload } of lent) {
      seen.push({ ip: ip.slice(), port, payload: payload.slice() });
    }
    buffer.fill(0xee);
  }
  return seen;
}

Deno.test("the bytes are rathole's: little-endian port and lengths, network-order address", () => {
  const payload = Uint8Array.of(0xaa, 0xbb);
  assert.equal(
    encode({ ip: Uint8Array.of(127, 0, 0, 1), port: 0x1234, payload }).toHex(),
    "0c000000007f00000134120200aabb",
  );
  const v6 = Uint8Array.from({ length: 16 }, (_, i) => i);
  assert.equal(
    encode({ ip: v6, port: 1, payload: new Uint8Array(0) }).toHex(),
    "1801000000000102030405060708090a0b0c0d0e0f01000000",
  );
});

Deno.test("datagrams come out as they went in, wherever the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(datagram, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
      (datagrams, sizes) => {
        const stream = new Uint8Array(datagrams.map(encode).flatMap((bytes) => [...bytes]));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(decodeAll(chunks), datagrams);
      },
    ),
  );
});

Deno.test("the longest frame survives being cut at every kilobyte", () => {
  const longest = {
    ip: new Uint8Array(16).fill(9),
    port: 65_535,
    payload: Uint8Array.from({ length: 65_535 }, (_, i) => i * 7),
  };
  const bytes = encode(longest);
  assert.equal(bytes.length, MAX_UDP_FRAME);
  for (let at = 1; at < bytes.length; at += 1024) {
    const [decoded] = decodeAll([bytes.subarray(0, at), bytes.subarray(at)]);
    assert.deepEqual(decoded, longest);
  }
});

Deno.test("any other bytes are refused as a protocol error, and memory stays bounded", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
    try {
      decodeAll(chunks);
    } catch (error) {
      assert.ok(error instanceof RatholeError && error.code === "protocol");
    }
  }));
  const refused = (...bytes: number[]) =>
    assert.throws(() => decodeAll([Uint8Array.from(bytes)]), RatholeError);
  refused(13);
  refused(12, 1, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0);
  refused(24, 0, 0, 0, 0, ...new Array(20).fill(0));
});
