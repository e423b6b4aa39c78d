/**
 * What a download says of its progress: lines of milliseconds and bytes.
 *
 * @module
 */

/** What it has said once something has come. */
export const FLOWING = /^\d+ [1-9]\d*$/m;

/**
 * Bytes per second between two times, in milliseconds of the clock, from the lines next to them.
 *
 * @throws {Error} when the lines do not reach from one to the other, or nothing has come between
 */
export function rateBetween(text: string, from: number, to: number): number {
  // The first line may be the rest of one, and the last one be under way.
  const lines = Array.from(
    text.matchAll(/^(\d{13,}) (\d+)\n/gm),
    ([, time, bytes]) => [Number(time), Number(bytes)] as const,
  );
  const first = lines.findLast(([time]) => time <= from);
  const last = lines.find(([time]) => time >= to);
  if (first === undefined || last === undefined) {
    throw new Error(`the download has said nothing at its time: ${text.trim().slice(-200)}`);
  }
  const rate = (last[1] - first[1]) / (last[0] - first[0]) * 1000;
  if (!(rate > 0)) throw new Error("nothing was downloaded");
  return rate;
}
