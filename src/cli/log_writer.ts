/**
 * Lines to a stream that may be slow, stuck, full or gone, without ever making the program wait.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { ByteSink } from "./io.ts";

/** Bounds of what waits to be written. Against a stuck terminal or pipe filling the memory. */
export interface LogWriterLimits {
  /** Lines; 4096 unless told. */
  readonly lines: number;
  /** Characters in these lines together; 1 Mi unless told. */
  readonly chars: number;
}

const DEFAULT_LIMITS: LogWriterLimits = { lines: 4096, chars: 1024 * 1024 };

/** What a {@linkcode LogWriter} needs besides where to write. */
export interface LogWriterOptions {
  /** The line, newline included, that says how many lines were lost. */
  readonly lossNotice: (count: number) => string;
  /** For the deadline of {@linkcode LogWriter.flush}. */
  readonly clock: Clock;
  /** Bounds of the queue. */
  readonly limits?: LogWriterLimits;
}

/**
 * A bounded queue of lines in front of a stream. What does not fit, and what the stream refuses,
 * is dropped and counted; the next lines that do get through are preceded by the count.
 */
export class LogWriter {
  readonly #sink: ByteSink;
  readonly #options: LogWriterOptions;
  readonly #limits: LogWriterLimits;
  readonly #encoder = new TextEncoder();
  #queue: string[] = [];
  #queuedChars = 0;
  #lost = 0;
  /** Whether the last write ended within a line. */
  #torn = false;
  #writing: Promise<void> | undefined;

  /** Writes to `sink`, which stays the caller's. */
  constructor(sink: ByteSink, options: LogWriterOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
  }

  /** Takes a line that ends with its newline. Never waits and never throws. */
  write(line: string): void {
    const { lines, chars } = this.#limits;
    if (this.#queue.length >= lines || this.#queuedChars + line.length > chars) {
      this.#lost++;
      return;
    }
    this.#queue.push(line);
    this.#queuedChars += line.length;
    this.#writing ??= this.#writeQueue();
  }

  /** Resolves when all lines are written or lost, or after `ms` milliseconds. */
  async flush(ms: number): Promise<void> {
    if (this.#lost > 0) this.#writing ??= this.#writeQueue();
    if (this.#writing === undefined) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _deadline = this.#options.clock.after(ms, resolve);
    await Promise.race([this.#writing, late]);
  }

  async #writeQueue(): Promise<void> {
    do {
      await Promise.resolve(); // lines of the same turn share a write
      const lines = this.#queue;
      this.#queue = [];
      this.#queuedChars = 0;
      await this.#send(lines);
    } while (this.#queue.length > 0);
    this.#writing = undefined;
  }

  async #send(lines: readonly string[]): Promise<void> {
    const reported = this.#lost;
    this.#lost = 0;
    let text = this.#torn ? "\n" : "";
    if (reported > 0) text += this.#options.lossNotice(reported);
    const head = this.#encoder.encode(text);
    const bytes = this.#encoder.encode(text + lines.join(""));
    const sent = await this.#sendBytes(bytes);
    if (sent > 0) this.#torn = bytes[sent - 1] !== 0x0a;
    if (sent === bytes.length) return;
    // Each line ends with the only newline it has, so the whole ones that got through can be told.
    const whole = count(bytes.subarray(head.length, sent));
    this.#lost += lines.length - whole + (sent < head.length ? reported : 0);
  }

  /** How many bytes got through; less than all only when the sink failed. */
  async #sendBytes(bytes: Uint8Array): Promise<number> {
    let sent = 0;
    try {
      while (sent < bytes.length) {
        const n = await this.#sink.write(bytes.subarray(sent));
        if (n === 0) break;
        sent += n;
      }
    } catch {
      // A full disk may have room later and a pipe without reader never again; the log is not
      // worth the tunnel in either case. The lines are counted as lost by the caller.
    }
    return sent;
  }
}

function count(bytes: Uint8Array): number {
  let newlines = 0;
  for (const byte of bytes) if (byte === 0x0a) newlines++;
  return newlines;
}
