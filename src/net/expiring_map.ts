/**
 * A map that forgets: what was idle for a while, and the oldest when it is full.
 *
 * @module
 */

/** Finer than this, an entry's last use is not told: it saves work for every datagram. */
const GRAIN = 1000;

interface Entry<V> {
  value: V;
  used: number;
}

/**
 * Keeps at most `limit` entries, ordered by last use. Times are a clock's milliseconds, and an
 * entry's last use is known to the second.
 */
export class ExpiringMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #limit: number;
  readonly #dropped: (value: V) => void;

  /** `dropped` is told of every value that leaves, however it does. */
  constructor(limit: number, dropped: (value: V) => void = () => {}) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value, which counts as used now. */
  use(key: K, now: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (now - entry.used > GRAIN) {
      entry.used = now;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry.value;
  }

  /** Adds a value, in place of the one that was idle longest when full. */
  add(key: K, value: V, now: number): void {
    this.delete(key);
    if (this.#entries.size >= this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, { value, used: now });
  }

  /** Drops one entry. */
  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#dropped(entry.value);
  }

  /** Drops what was not used since `before`. */
  expire(before: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.used >= before) return;
      this.delete(key);
    }
  }

  /** Drops everything. */
  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }
}
