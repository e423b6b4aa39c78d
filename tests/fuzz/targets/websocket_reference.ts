/**
 * RFC 6455, section 5, decoded in the plainest way: all of the bytes at once, every rule a line.
 *
 * @module
 */

import { concat } from "../engine/pieces.ts";

/** What the bytes of one direction come to. */
export interface Decoded {
  readonly payload: Uint8Array;
  /** `p` and its payload in hex for a Ping, `c` for a Close. */
  readonly log: string;
  /** Whether they break a rule. */
  readonly error: boolean;
}

const OPCODES = [0, 2, 8, 9, 10];

/** Decodes a stream that may be cut off anywhere. */
export function referenceDecode(sender: "client" | "server", bytes: Uint8Array): Decoded {
  const payload: Uint8Array[] = [];
  let log = "";
  let message = -1;
  const over = (error: boolean) => ({ payload: concat(payload), log, error });
  for (let at = 0; at + 2 <= bytes.length;) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    const [final, opcode, masked] = [first >= 128, first & 15, second >= 128];
    const short = second & 127;
    const control = opcode >= 8;
    if ((first & 0x70) !== 0 || masked !== (sender === "client")) return over(true);
    if (!OPCODES.includes(opcode)) return over(true);
    if (control && (!final || short > 125 || opcode === 8 && short === 1)) return over(true);
    if (!control && (opcode === 0) !== (message >= 0)) return over(true);
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const body = at + 2 + extended + (masked ? 4 : 0);
    if (body > bytes.length) return over(false);
    let length = extended === 0 ? short : 0;
    for (let i = 0; i < extended; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    if (short === 126 && length < 126 || short === 127 && length < 65_536) return over(true);
    if (!control) {
      message = Math.max(0, message) + length;
      if (length > 16 << 20 || message > 64 << 20) return over(true);
      if (final) message = -1;
    }
    const plain = bytes.slice(body, body + length);
    for (let i = 0; masked && i < plain.length; i++) {
      plain[i] = (plain[i] ?? 0) ^ (bytes[body - 4 + i % 4] ?? 0);
    }
    if (!control) payload.push(plain);
    const whole = plain.length === length;
    if (opcode === 9 && whole) log += `p${plain.toHex()}`;
    if (opcode === 8 && whole) {
      log += "c";
      return over(false);
    }
    at = body + length;
  }
  return over(false);
}
