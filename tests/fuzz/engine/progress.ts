/**
 * What is being tried, in memory that two threads share: an input that never ends can be told of
 * by the other one only.
 *
 * @module
 */

const RUNS = 0;
const BUSY = 1;
const LENGTH = 2;
const TARGET = 3;
const HEADER_BYTES = 16;
const MOST_BYTES = 64 << 10;

/** Memory for a {@linkcode Progress}. */
export function progressMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + MOST_BYTES);
}

/** See the module. */
export class Progress {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(memory, HEADER_BYTES);
  }

  /** Another target's turn. */
  enter(target: number): void {
    this.#words[TARGET] = target;
  }

  /** An input is being tried. */
  begin(input: Uint8Array): void {
    const part = input.length > MOST_BYTES ? input.subarray(0, MOST_BYTES) : input;
    this.#bytes.set(part);
    this.#words[LENGTH] = part.length;
    this.#words[BUSY] = 1;
    this.#words[RUNS] = (this.#words[RUNS] ?? 0) + 1;
  }

  /** It is over, or waits. */
  end(): void {
    this.#words[BUSY] = 0;
  }

  /** What is being tried at this moment, as the other thread sees it; undefined for nothing. */
  get current():
    | { readonly run: number; readonly target: number; readonly input: Uint8Array }
    | undefined {
    const [run = 0, busy, length, target = 0] = this.#words;
    if (busy === 0) return undefined;
    return { run, target, input: this.#bytes.slice(0, length) };
  }
}
