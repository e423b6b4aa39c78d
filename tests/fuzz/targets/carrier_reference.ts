/**
 * Frames of a carrier decoded in the plainest way: all of the bytes at once, every rule a line.
 *
 * @module
 */

import { concat } from "../engine/pieces.ts";

/** What the bytes of one direction come to. */
export interface DecodedFrames {
  /** A line for each frame; data of one stream in a row share a line, however it was cut. */
  readonly log: readonly string[];
  /** The bytes of each stream. */
  readonly data: ReadonlyMap<number, Uint8Array>;
  /** The credit that was given to each stream. */
  readonly credit: ReadonlyMap<number, number>;
  /** Whether they break a rule. */
  readonly error: boolean;
}

/** Collects frames into a log; the decoder under test and the reference both write one. */
export class FrameLog {
  readonly lines: string[] = [];
  readonly #data = new Map<number, Uint8Array[]>();
  #last = -1;
  #size = 0;

  data(stream: number, bytes: Uint8Array): void {
    const parts = this.#data.get(stream) ?? [];
    parts.push(bytes.slice());
    this.#data.set(stream, parts);
    if (this.#last !== stream) {
      this.#last = stream;
      this.#size = 0;
      this.lines.push("");
    }
    this.#size += bytes.length;
    this.lines[this.lines.length - 1] = `data ${stream} ${this.#size}`;
  }

  control(type: number, stream: number, payload: Uint8Array): void {
    this.#last = -1;
    this.lines.push(`${type} ${stream} ${payload.toHex()}`);
  }

  get streams(): Map<number, Uint8Array> {
    return new Map(Array.from(this.#data, ([stream, parts]) => [stream, concat(parts)]));
  }
}

/** Decodes frames that may be cut off anywhere. */
export function referenceFrames(bytes: Uint8Array): DecodedFrames {
  const log = new FrameLog();
  const credit = new Map<number, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let error = false;
  for (let at = 0; at + 8 <= bytes.length;) {
    const stream = view.getUint32(at, true);
    const type = view.getUint8(at + 4);
    const length = view.getUint16(at + 5, true) + 65_536 * view.getUint8(at + 7);
    const payload = bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length;
    error = type === 2 ? length < 1 || length > 16_384 : length > 1024;
    if (error) break;
    if (type === 2) {
      if (payload.length > 0) log.data(stream, payload);
    } else if (payload.length === length) {
      log.control(type, stream, payload);
      if (type === 3 && length >= 4) {
        const more = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
        credit.set(stream, (credit.get(stream) ?? 0) + more);
      }
    }
  }
  return { log: log.lines, data: log.streams, credit, error };
}
