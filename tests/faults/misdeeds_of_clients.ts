/**
 * What a client may do to a carrier, and must not.
 *
 * @module
 */

import { FRAME, MOST_CONTROL, MOST_DATA } from "../../src/carrier/frame.ts";
import { bytesOf, noise } from "../support/local_services.ts";
import { frameBytes, type RawCarrier, u32 } from "../support/raw_carrier.ts";

const FULL = new Uint8Array(MOST_DATA);

/** What a client does to a carrier that has one stream, and what is said of it. */
export const CLIENT_MISDEEDS: readonly {
  readonly name: string;
  readonly reason: RegExp;
  act(carrier: RawCarrier, stream: number): Promise<void>;
}[] = [
  {
    name: "data without end and without credit",
    reason: /credit/,
    async act(carrier, stream) {
      const many = frameBytes(FRAME.data, stream, FULL);
      // The visitor does not read; at some point it is more than anybody has asked for.
      for (let i = 0; i < 5000; i++) await carrier.raw(many);
    },
  },
  {
    name: "data of a stream that never was",
    reason: /stream \d+, which was never opened/,
    act: (carrier, stream) => carrier.frame(FRAME.data, stream + 5, FULL),
  },
  {
    name: "credit for a stream that never was",
    reason: /never opened/,
    act: (carrier, stream) => carrier.frame(FRAME.window, stream + 1, u32(9)),
  },
  {
    name: "data of stream 0",
    reason: /stream 0/,
    act: (carrier) => carrier.frame(FRAME.data, 0, FULL),
  },
  {
    name: "a stream opened by the client",
    reason: /must not be opened/,
    act: (carrier, stream) => carrier.frame(FRAME.open, stream + 1, Uint8Array.of(0)),
  },
  {
    name: "a move twice",
    reason: /after the end of stream/,
    async act(carrier, stream) {
      await carrier.frame(FRAME.move, stream);
      await carrier.frame(FRAME.move, stream);
    },
  },
  {
    name: "data after a move",
    reason: /after the end of stream/,
    async act(carrier, stream) {
      await carrier.frame(FRAME.move, stream);
      await carrier.frame(FRAME.data, stream, FULL);
    },
  },
  {
    name: "data after the end",
    reason: /after the end of stream/,
    async act(carrier, stream) {
      await carrier.frame(FRAME.fin, stream);
      await carrier.frame(FRAME.data, stream, FULL);
    },
  },
  {
    name: "an end twice",
    reason: /after the end of stream/,
    async act(carrier, stream) {
      await carrier.frame(FRAME.fin, stream);
      await carrier.frame(FRAME.fin, stream);
    },
  },
  {
    name: "more credit than a number holds",
    reason: /credit without end/,
    act: (carrier, stream) => carrier.frame(FRAME.window, stream, u32(0xffff_ffff)),
  },
  {
    name: "credit again and again",
    reason: /credit without end/,
    async act(carrier, stream) {
      for (let i = 0; i < 3; i++) await carrier.frame(FRAME.window, stream, u32(0x7fff_0000));
    },
  },
  {
    name: "credit without a number",
    reason: /without its credit/,
    act: (carrier, stream) => carrier.frame(FRAME.window, stream, Uint8Array.of(1, 2, 3)),
  },
  {
    name: "data of no bytes",
    reason: /type 2 with 0 bytes/,
    act: (carrier, stream) => carrier.frame(FRAME.data, stream),
  },
  {
    name: "data of too many bytes",
    reason: /type 2 with 16385 bytes/,
    act: (carrier, stream) => carrier.frame(FRAME.data, stream, Uint8Array.of(1), MOST_DATA + 1),
  },
  {
    name: "another frame of too many bytes",
    reason: /type 99 with 1025 bytes/,
    act: (carrier) => carrier.frame(99, 0, Uint8Array.of(1), MOST_CONTROL + 1),
  },
  {
    name: "garbage",
    reason: /bytes on a carrier|never opened|must not be opened/,
    act: (carrier) => carrier.raw(noise(5000, 11)),
  },
  {
    name: "an HTTP request",
    reason: /bytes on a carrier|never opened|must not be opened/,
    act: (carrier) => carrier.raw(bytesOf("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2))),
  },
  {
    name: "the end within a header",
    reason: /closed/,
    async act(carrier, stream) {
      await carrier.raw(frameBytes(FRAME.fin, stream).subarray(0, 5));
      await carrier.connection.closeWrite();
    },
  },
  {
    name: "the end within data",
    reason: /closed/,
    async act(carrier, stream) {
      await carrier.raw(frameBytes(FRAME.data, stream, FULL).subarray(0, 1000));
      await carrier.connection.closeWrite();
    },
  },
];
