/**
 * Whether a stream moves bulk.
 *
 * @module
 */

/** Bytes after which a stream is judged: about where a data channel of its own has paid for itself. */
const ENOUGH = 256 * 1024;
/** Bulk goes one way for long: so many bytes, on average, before any come the other way. */
const RUN = 16 * 1024;
/** Milliseconds for those bytes: slower, and it holds up nobody. */
const PERIOD = 30_000;

/**
 * Tells bulk from conversation by how much goes one way before something comes the other way:
 * requests and replies by the thousand are no bulk, a download is, and so is an upload.
 */
export class BulkMeter {
  #volume = 0;
  #runs = 1;
  #outgoing = true;
  #since: number;

  /** Begins at a time in milliseconds. */
  constructor(now: number) {
    this.#since = now;
  }

  /** Bytes have passed; whether there were enough of them to {@linkcode BulkMeter.judge}. */
  count(bytes: number, outgoing: boolean): boolean {
    if (outgoing !== this.#outgoing) {
      this.#outgoing = outgoing;
      this.#runs++;
    }
    this.#volume += bytes;
    return this.#volume >= ENOUGH;
  }

  /** Whether what has passed since the last judgement was bulk; starts over. */
  judge(now: number): boolean {
    const bulk = this.#volume >= this.#runs * RUN && now - this.#since <= PERIOD;
    this.#volume = 0;
    this.#runs = 1;
    this.#since = now;
    return bulk;
  }
}
