/**
 * The noise handshake over a connection: `u16` length, little-endian, then the message, its payload
 * empty. So every message of a pattern has one length, and another one tells what is wrong.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import {
  type HandshakeSettings,
  HandshakeState,
  type Transport,
} from "../noise/handshake_state.ts";
import { messageLengths } from "../noise/patterns.ts";
import { RatholeError } from "../runtime/errors.ts";
import { LENGTH_BYTES } from "./noise_buffers.ts";
import { changedMessage, closedEarly, strangeLength, wrongPin } from "./noise_refusals.ts";

const NO_PAYLOAD = new Uint8Array(0);

/**
 * Performs the handshake, reading not a byte more, and checks the other end's static key where
 * one is pinned and the pattern has it shown.
 *
 * @throws {RatholeError} `untrusted` for another key than the one configured, `protocol` for
 * another protocol or pattern, `closed`; each with what to do about it.
 */
export async function shakeHands(
  connection: Connection,
  settings: HandshakeSettings,
): Promise<Transport> {
  const { suite, pattern } = settings;
  const state = new HandshakeState(settings);
  const lengths = messageLengths(pattern, suite.dh.keyBytes);
  for (const [turn, length] of lengths.entries()) {
    if (state.writes) await connection.write(framed(state.writeMessage(NO_PAYLOAD)));
    else await readTurn(connection, settings, state, turn, length);
  }
  return state.split();
}

async function readTurn(
  connection: Connection,
  settings: HandshakeSettings,
  state: HandshakeState,
  turn: number,
  expected: number,
): Promise<void> {
  let message;
  try {
    const header = await readExact(connection, LENGTH_BYTES);
    const length = (header[0] ?? 0) | (header[1] ?? 0) << 8;
    if (length !== expected) throw strangeLength(settings, turn, header.slice(), expected);
    message = await readExact(connection, length);
  } catch (error) {
    if (error instanceof RatholeError && error.code === "closed") {
      throw closedEarly(settings, turn, error);
    }
    throw error;
  }
  const knew = state.remoteStatic;
  try {
    state.readMessage(message);
  } catch (error) {
    throw changedMessage(settings, turn, error);
  }
  const shown = state.remoteStatic;
  if (shown === knew || shown === undefined || settings.remote === undefined) return;
  if (!isSameKey(shown, settings.remote)) throw wrongPin(settings, shown, settings.remote);
}

/** Public keys: how long the comparison takes tells nobody anything. */
function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + message.length);
  frame[0] = message.length & 0xff;
  frame[1] = message.length >> 8;
  frame.set(message, LENGTH_BYTES);
  return frame;
}
