/**
 * Frames of carriers.
 *
 * @module
 */

import { FRAME, FrameDecoder } from "../../../src/carrier/frame.ts";
import { bytesOf, noise } from "../../support/local_services.ts";
import { frameBytes, u32 } from "../../support/raw_carrier.ts";
import { concat, piecesOf, sameBytes } from "../engine/pieces.ts";
import { must, outcomeOf, proportional, shapeOf, sizeOf, type Target } from "../engine/target.ts";
import { FrameLog, referenceFrames } from "./carrier_reference.ts";

/** Frames, however they are cut: the same ones, and as the reference has them. */
export function carrierFrames(): Target {
  const data = (stream: number, text: string) => frameBytes(FRAME.data, stream, bytesOf(text));
  const valid = concat([
    frameBytes(FRAME.open, 1, Uint8Array.of(0)),
    data(1, "hello"),
    data(1, " world"),
    frameBytes(FRAME.window, 1, u32(32_768)),
    frameBytes(FRAME.ping, 0),
    data(0xffff_ffff, "x".repeat(300)),
    frameBytes(FRAME.fin, 1),
    frameBytes(FRAME.move, 2),
    frameBytes(99, 3, noise(40)),
    frameBytes(FRAME.reset, 1, Uint8Array.of(2)),
    frameBytes(FRAME.pong, 0),
  ]);
  return {
    name: "carrier-frames",
    seeds: [
      valid,
      frameBytes(FRAME.data, 1, bytesOf("a"), 16_384),
      frameBytes(FRAME.data, 1, bytesOf("a"), 16_385),
      frameBytes(FRAME.data, 1),
      frameBytes(9, 1, noise(1024)),
      frameBytes(9, 1, noise(100), 1025),
      frameBytes(9, 1, noise(100), 0x1_0000),
    ],
    tokens: [
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((type) => frameBytes(type, 1, bytesOf("abcd"))),
      ...[Uint8Array.of(0, 64, 0), Uint8Array.of(1, 64, 0), Uint8Array.of(0, 4, 0)],
    ],
    longest: 1500,
    batch: 256,
    allowance: proportional,
    run(input) {
      const whole = decode([input.slice()]);
      const parts = decode(piecesOf(input));
      const reference = referenceFrames(input);
      for (const { log, data, end } of [whole, parts]) {
        must(`${log}` === `${reference.log}`, `${log}, and the reference ${reference.log}`);
        must((end !== "") === reference.error, `${end} is not as the reference judges`);
        for (const [stream, bytes] of reference.data) {
          must(sameBytes(data.get(stream) ?? new Uint8Array(0), bytes), "other bytes of a stream");
        }
      }
      must(whole.end === parts.end, `${whole.end} in one piece, ${parts.end} in many`);
      const kinds = whole.log.slice(0, 3).map((line) => line.split(" ")[0]);
      return `${sizeOf(whole.log.length)} ${kinds} ${whole.end}`;
    },
  };
}

function decode(chunks: readonly Uint8Array[]) {
  const decoder = new FrameDecoder();
  const log = new FrameLog();
  const { error } = outcomeOf(["protocol"], () => {
    for (const chunk of chunks) {
      decoder.decode(chunk, {
        data(stream, bytes) {
          must(bytes.length > 0, "no bytes");
          log.data(stream, bytes);
        },
        control: (type, stream, payload) => log.control(type, stream, payload),
      });
      // What was lent is over now.
      chunk.fill(0xdd);
    }
  });
  return { log: log.lines, data: log.streams, end: error === undefined ? "" : shapeOf(error) };
}
