/**
 * iperf3: what it is told, and what it prints.
 *
 * @module
 */

/** What the receiver got. */
export interface Bulk {
  readonly bitsPerSecond: number;
  readonly bytes: number;
  /** Of a hundred datagrams; 0 for TCP. */
  readonly lostPercent: number;
}

/** A stream, or several, of bytes or of datagrams. */
export interface BulkLoad {
  /** 1 unless told. */
  readonly streams?: number;
  /** From the service to the visitor. */
  readonly reverse?: boolean;
  readonly udp?: {
    /** Bytes of a datagram. */
    readonly size: number;
    /** Megabits per second that are offered; 0 for as many as the sender can. */
    readonly offered: number;
  };
}

/** The command line of the sender, or with `reverse` of the receiver. */
export function iperf3Command(
  program: string,
  port: number,
  seconds: number,
  { reverse = false, streams = 1, udp }: BulkLoad,
): string[] {
  return [
    program,
    ...["--client", "127.0.0.1", "--port", `${port}`, "--time", `${seconds}`, "--json"],
    ...["--connect-timeout", "5000"],
    ...(streams === 1 ? [] : ["--parallel", `${streams}`]),
    ...(reverse ? ["--reverse"] : []),
    ...(udp === undefined ? [] : ["--udp", "--bitrate", `${udp.offered}M`]),
    ...(udp === undefined ? [] : ["--length", `${udp.size}`]),
  ];
}

/**
 * Reads what `iperf3 --json` printed.
 *
 * @throws {Error} with iperf3's own words when it failed, which its exit code does not always tell
 */
export function parseIperf3(text: string): Bulk {
  let printed;
  try {
    printed = JSON.parse(text);
  } catch (cause) {
    throw new Error(`iperf3 printed no JSON: ${text.trim().slice(0, 500)}`, { cause });
  }
  if (printed.error !== undefined) throw new Error(`iperf3: ${printed.error}`);
  const { bits_per_second: bitsPerSecond, bytes, lost_percent: lostPercent = 0 } =
    printed.end?.sum_received ?? {};
  if (!(bytes > 0 && bitsPerSecond > 0)) throw new Error("iperf3: nothing was received");
  return { bitsPerSecond, bytes, lostPercent };
}
