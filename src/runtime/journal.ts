/**
 * Where events go: to those who watch, and into the log.
 *
 * @module
 */

import { getLogger, type Logger } from "@logtape/logtape";
import { EventStream } from "./event_stream.ts";
import type { LogLine } from "./log_line.ts";

/** Lines of one kind that strangers can cause are written this often … */
const BURST = 20;
/** … in so many milliseconds; the next one then says how many were left out. */
const WINDOW = 10_000;

interface Allowance {
  since: number;
  written: number;
}

/** Publishes events and writes each to the log, by one rule from event to line. */
export class Journal<E extends { readonly type: string }> {
  /** Who watches. */
  readonly stream: EventStream<E> = new EventStream<E>();
  readonly #logger: Logger;
  readonly #line: (event: E) => LogLine;
  readonly #detail: ReadonlySet<E["type"]>;
  readonly #allowances = new Map<string, Allowance>();
  readonly #now: () => number;

  /**
   * `target` is a log target's path, such as `["rathole", "server"]`; `now` in milliseconds.
   * `detail` are the events whose lines are of level debug: every visitor causes some, and most
   * often nobody wants to read them, so they are not even put into words then.
   */
  constructor(
    target: readonly [string, ...string[]],
    now: () => number,
    line: (event: E) => LogLine,
    detail: ReadonlySet<E["type"]> = new Set(),
  ) {
    this.#logger = getLogger(target);
    this.#now = now;
    this.#line = line;
    this.#detail = detail;
  }

  /** Tells everybody. */
  record(event: E): void {
    this.stream.publish(event);
    if (this.#detail.has(event.type) && !this.#logger.isEnabledFor("debug")) return;
    const line = this.#line(event);
    if (!line.cheap) return this.#write(line, line.fields);
    const suppressed = this.#admit(event.type);
    if (suppressed === 0) this.#write(line, line.fields);
    else if (suppressed > 0) this.#write(line, { ...line.fields, suppressed });
  }

  /** Writes detail that nobody watches but a log at this level. */
  trace(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#logger.trace(message, fields);
  }

  #write(line: LogLine, fields: Record<string, unknown>): void {
    switch (line.level) {
      case "error":
        return this.#logger.error(line.message, fields);
      case "warn":
        return this.#logger.warn(line.message, fields);
      case "info":
        return this.#logger.info(line.message, fields);
      case "debug":
        return this.#logger.debug(line.message, fields);
      case "trace":
        return this.#logger.trace(line.message, fields);
    }
  }

  /** -1: not now; otherwise how many were left out before this one. */
  #admit(type: string): number {
    const now = this.#now();
    const allowance = this.#allowances.get(type);
    if (allowance === undefined || now - allowance.since >= WINDOW) {
      this.#allowances.set(type, { since: now, written: 1 });
      return Math.max(0, (allowance?.written ?? 0) - BURST);
    }
    allowance.written++;
    return allowance.written <= BURST ? 0 : -1;
  }
}
