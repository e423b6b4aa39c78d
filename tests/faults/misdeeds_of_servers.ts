/**
 * What a server may do to a carrier, and must not.
 *
 * @module
 */

import { FRAME, MOST_DATA, RESET } from "../../src/carrier/frame.ts";
import { noise } from "../support/local_services.ts";
import { type RawCarrier, u32 } from "../support/raw_carrier.ts";

const FULL = new Uint8Array(MOST_DATA);
const TCP = Uint8Array.of(0);

/** What a server does to a carrier, and what is said of it. */
export const SERVER_MISDEEDS: readonly {
  readonly name: string;
  readonly reason: RegExp;
  act(carrier: RawCarrier): Promise<void>;
}[] = [
  {
    name: "a number twice",
    reason: /stream 5 must not be opened/,
    async act(carrier) {
      for (const number of [5, 5]) await carrier.frame(FRAME.open, number, TCP);
    },
  },
  {
    name: "numbers that go down",
    reason: /stream 4 must not be opened/,
    async act(carrier) {
      for (const number of [5, 4]) await carrier.frame(FRAME.open, number, TCP);
    },
  },
  {
    name: "a number again once its stream is over",
    reason: /stream 1 must not be opened/,
    async act(carrier) {
      await carrier.frame(FRAME.open, 1, TCP);
      await carrier.frame(FRAME.reset, 1, Uint8Array.of(RESET.over));
      await carrier.frame(FRAME.open, 1, TCP);
    },
  },
  {
    name: "stream 0",
    reason: /stream 0/,
    act: (carrier) => carrier.frame(FRAME.open, 0, TCP),
  },
  {
    name: "frames of a stream that never was",
    reason: /never opened/,
    act: (carrier) => carrier.frame(FRAME.fin, 9),
  },
  {
    name: "no regard to credit",
    reason: /credit/,
    async act(carrier) {
      await carrier.frame(FRAME.open, 1, TCP);
      // The service does not read.
      for (let i = 0; i < 5000; i++) await carrier.frame(FRAME.data, 1, FULL);
    },
  },
  {
    name: "credit without end",
    reason: /credit without end/,
    async act(carrier) {
      await carrier.frame(FRAME.open, 1, TCP);
      await carrier.frame(FRAME.window, 1, u32(0x7fff_ffff));
    },
  },
  {
    name: "data after its end",
    reason: /after the end of stream/,
    async act(carrier) {
      await carrier.frame(FRAME.open, 1, TCP);
      await carrier.frame(FRAME.fin, 1);
      await carrier.frame(FRAME.data, 1, FULL);
    },
  },
  {
    name: "garbage",
    reason: /bytes on a carrier|never opened|must not be opened/,
    act: (carrier) => carrier.raw(noise(5000, 3)),
  },
];
