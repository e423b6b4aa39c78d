/**
 * The log of this process, kept in memory.
 *
 * @module
 */

import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";

/** Records from now on, at every level; disposing stops it. One at a time. */
export interface KeptLog extends Disposable {
  readonly records: LogRecord[];
  /** The reasons that stand in records with this message. */
  reasons(message: string): string[];
}

/** Starts to keep it. */
export function keepLog(): KeptLog {
  const records: LogRecord[] = [];
  configureSync({
    sinks: { memory: (record) => records.push(record) },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      { category: ["rathole"], lowestLevel: "trace", sinks: ["memory"] },
    ],
  });
  return {
    records,
    reasons: (message) =>
      records.filter(({ rawMessage }) => rawMessage === message)
        .map(({ properties }) => String(properties["reason"])),
    [Symbol.dispose]: resetSync,
  };
}
