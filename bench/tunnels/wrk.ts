/**
 * wrk: what it is told, and what it prints.
 *
 * @module
 */

/** What wrk measured. */
export interface HttpLoad {
  /** Replies in all, and in a second. */
  readonly requests: number;
  readonly rate: number;
  /** Latency in milliseconds: that of half the requests, and of all but a hundredth, or less. */
  readonly p50: number;
  readonly p99: number;
  /** Connections that failed, requests without a reply, and replies that were not 2xx or 3xx. */
  readonly errors: number;
}

/** How many of a hundred requests may fail before the rest says nothing. */
const TOLERATED = 0.1;

const MILLISECONDS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The load: so many visitors, each with a connection that it keeps, or a new one each time. */
export interface HttpVisitors {
  readonly connections: number;
  readonly fresh?: boolean;
}

/** The command line. */
export function wrkCommand(
  program: string,
  port: number,
  seconds: number,
  { connections, fresh = false }: HttpVisitors,
): string[] {
  return [
    program,
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--latency",
    "--timeout",
    "5s",
    ...(fresh ? ["-H", "Connection: close"] : []),
    `http://127.0.0.1:${port}/`,
  ];
}

/**
 * Reads what `wrk --latency` printed.
 *
 * @throws {Error} when a number is not there, or more than a thousandth of the requests failed
 */
export function parseWrk(text: string): HttpLoad {
  const number = (what: string, pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`wrk printed no ${what}:\n${text.trim()}`);
    return Number(found);
  };
  const latency = (percent: number) => {
    const found = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m|h)$`, "m").exec(text);
    if (found === null) throw new Error(`wrk printed no latency of ${percent}%:\n${text.trim()}`);
    return Number(found[1]) * (MILLISECONDS[found[2] ?? ""] ?? NaN);
  };
  const requests = number("requests", /^\s*(\d+) requests in/m);
  const sockets = /^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$/m
    .exec(text)?.slice(1) ?? [];
  const refused = /^\s*Non-2xx or 3xx responses: (\d+)$/m.exec(text)?.[1] ?? 0;
  const errors = [...sockets, refused].reduce((sum: number, count) => sum + Number(count), 0);
  if (requests === 0 || errors > requests * TOLERATED / 100) {
    throw new Error(`wrk: ${errors} errors at ${requests} requests:\n${text.trim()}`);
  }
  const rate = number("rate", /^Requests\/sec:\s+([\d.]+)$/m);
  return { requests, rate, p50: latency(50), p99: latency(99), errors };
}
