/**
 * The messages of the protocol.
 *
 * @module
 */

import {
  decodeExtension,
  encodeExtensionHeartbeat,
  encodeExtensionHello,
  EXTENSION_HEADER_LENGTH,
  EXTENSION_MAX_PAYLOAD,
  extensionPayloadLength,
} from "../../../src/protocol/extension.ts";
import {
  decodeAck,
  decodeControlCommand,
  decodeDataCommand,
  decodeHello,
  encodeAck,
  encodeControlCommand,
  encodeDataCommand,
  encodeHello,
} from "../../../src/protocol/messages.ts";
import { type UdpFrame, UdpFrameDecoder, writeUdpFrame } from "../../../src/protocol/udp_frame.ts";
import { bytesOf } from "../../support/local_services.ts";
import { concat, piecesOf, sameBytes } from "../engine/pieces.ts";
import { must, outcomeOf, proportional, shapeOf, sizeOf, type Target } from "../engine/target.ts";

const DIGEST = new Uint8Array(32).fill(0xab);

/** Every message of a fixed length: what is understood is what would be written. */
export function messages(): Target {
  const readers = [
    (bytes: Uint8Array) => encodeHello(decodeHello(bytes)),
    (bytes: Uint8Array) => encodeAck(decodeAck(bytes)),
    (bytes: Uint8Array) => encodeControlCommand(decodeControlCommand(bytes)),
    (bytes: Uint8Array) => encodeDataCommand(decodeDataCommand(bytes)),
  ];
  return {
    name: "messages",
    seeds: [
      encodeHello({ kind: "control", digest: DIGEST }),
      encodeHello({ kind: "data", digest: DIGEST }),
      ...[0, 1, 2, 3].map((tag) => Uint8Array.of(tag, 0, 0, 0)),
    ],
    tokens: ["GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK", "SSH-2.0-", Uint8Array.of(0x16, 3, 1)],
    longest: 64,
    batch: 512,
    allowance: proportional,
    run(input) {
      return readers.map((reencode) => {
        const { value, error } = outcomeOf(["protocol", "version"], () => reencode(input));
        must(error !== undefined || sameBytes(value, input), "another message is written");
        return error === undefined ? "ok" : shapeOf(error);
      }).join();
    },
  };
}

/** What a client of ours says on its control channel. */
export function extensionFrames(): Target {
  return {
    name: "extension-frames",
    seeds: [
      encodeExtensionHello(0, 30_000),
      concat([encodeExtensionHello(1, 0), encodeExtensionHeartbeat()]),
      concat([Uint8Array.of(99, 0, 4), new Uint8Array(1024), encodeExtensionHeartbeat()]),
    ],
    longest: 1500,
    batch: 256,
    allowance: proportional,
    run(input) {
      let shape = "";
      for (let at = 0; at + EXTENSION_HEADER_LENGTH <= input.length && shape.length < 4;) {
        const { value, error } = outcomeOf(["protocol"], () => {
          const header = input.subarray(at, at + EXTENSION_HEADER_LENGTH);
          const length = extensionPayloadLength(header);
          must(length <= EXTENSION_MAX_PAYLOAD, `a payload of ${length} bytes`);
          const end = at + EXTENSION_HEADER_LENGTH + length;
          const payload = input.subarray(at + EXTENSION_HEADER_LENGTH, end);
          at = end;
          return decodeExtension(header[0] ?? 0, payload);
        });
        if (error !== undefined) return `${shape} ${shapeOf(error)}`;
        if (value.type === "hello") {
          const { carriers, features, heartbeatInterval } = value;
          const again = encodeExtensionHello(features, heartbeatInterval, carriers);
          const reread = decodeExtension(1, again.subarray(EXTENSION_HEADER_LENGTH));
          must(JSON.stringify(reread) === JSON.stringify(value), "a hello that changes");
        }
        shape += value.type.charAt(0);
      }
      return shape;
    },
  };
}

/** Datagrams in a stream, in whatever pieces it comes. */
export function udpFrames(): Target {
  const frame = (ip: number[], port: number, payload: Uint8Array) => {
    const bytes = new Uint8Array(25 + payload.length);
    const end = writeUdpFrame(bytes, 0, Uint8Array.from(ip), port, payload);
    return bytes.slice(0, end);
  };
  const v4 = frame([127, 0, 0, 1], 53, bytesOf("ping"));
  const v6 = frame([...Array(15).fill(0), 1], 65_535, bytesOf("a longer datagram ".repeat(9)));
  const empty = frame([192, 0, 2, 1], 0, new Uint8Array(0));
  return {
    name: "udp-frames",
    longest: 512,
    seeds: [v4, v6, empty, concat([v4, v6, empty, v4])],
    tokens: [v4.subarray(0, 13), v6.subarray(0, 25)],
    batch: 256,
    allowance: proportional,
    run(input) {
      const whole = decodeUdp([input.slice()]);
      const parts = decodeUdp(piecesOf(input));
      must(whole.shape === parts.shape, `${whole.shape} in one piece, ${parts.shape} in many`);
      must(sameBytes(whole.written, parts.written), "other datagrams in pieces");
      const start = input.subarray(0, whole.written.length);
      must(sameBytes(whole.written, start), "datagrams that were not sent");
      return whole.shape;
    },
  };
}

/** Decodes, and writes what was decoded anew. */
function decodeUdp(chunks: readonly Uint8Array[]): { shape: string; written: Uint8Array } {
  const decoder = new UdpFrameDecoder();
  const frames: Uint8Array[] = [];
  const { error } = outcomeOf(["protocol"], () => {
    for (const chunk of chunks) {
      const lent: UdpFrame[] = [];
      try {
        for (const frame of decoder.decode(chunk)) lent.push(frame);
      } finally {
        // All of them hold until the next chunk.
        for (const { ip, port, payload } of lent) {
          const frame = new Uint8Array(25 + payload.length);
          frames.push(frame.subarray(0, writeUdpFrame(frame, 0, ip, port, payload)));
        }
      }
      // What was lent is over now.
      chunk.fill(0xdd);
    }
  });
  const kinds = frames.slice(0, 3).map((frame) => `${frame[0]}+${sizeOf(frame.length)}`).join();
  const end = error === undefined ? "" : shapeOf(error);
  return { shape: `${sizeOf(frames.length)}: ${kinds} ${end}`, written: concat(frames) };
}
