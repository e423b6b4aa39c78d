/**
 * A map that forgets: what was idle for a while, and the oldest when it is full.
 *
 * @module
 */

/** Finer than this, an entry's last use is not told: it saves work for every datagram. */
const GRAIN = 1000;

interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
  used: number;
}

/**
 * Keeps at most `limit` entries, ordered by last use. Times are a clock's milliseconds, and an
 * entry's last use is known to the second; that of the latest one, which most often is the next one
 * too, from one call of {@linkcode ExpiringMap.expire} to the other.
 */
export class ExpiringMap<K, V> {
  readonly #entries = new Map<K, Entry<K, V>>();
  #latest: Entry<K, V> | undefined;
  #again = false;
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

  /** The value that was used or added last, unless it has left or `expire` was called since. */
  get latest(): V | undefined {
    return this.#latest?.value;
  }

  /** The latest value is used again: neither time nor map need be looked at. */
  useLatest(): void {
    this.#again = true;
  }

  /** As {@linkcode ExpiringMap.use}; the time is looked at only where it is not the latest. */
  useLazily(key: K, now: () => number): V | undefined {
    if (this.#latest === undefined || this.#latest.key !== key) return this.use(key, now());
    this.#again = true;
    return this.#latest.value;
  }

  /** The value, which counts as used now. */
  use(key: K, now: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#become(entry, now);
    if (now - entry.used > GRAIN) this.#touch(entry, now);
    return entry.value;
  }

  /** Adds a value, in place of the one that was idle longest when full. */
  add(key: K, value: V, now: number): void {
    this.delete(key);
    // Before anybody makes room: the latest may be the one that is used most.
    this.#become(undefined, now);
    if (this.#entries.size >= this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.delete(oldest);
        break;
      }
    }
    const entry: Entry<K, V> = { key, value, used: now };
    this.#entries.set(key, entry);
    this.#become(entry, now);
  }

  /** Drops one entry. */
  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    if (entry === this.#latest) {
      this.#latest = undefined;
      this.#again = false;
    }
    this.#dropped(entry.value);
  }

  /** Drops what was not used for `idle` milliseconds. */
  expire(idle: number, now: number): void {
    this.#become(undefined, now);
    const before = now - idle;
    for (const [key, entry] of this.#entries) {
      if (entry.used >= before) return;
      this.delete(key);
    }
  }

  /** Drops everything. */
  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }

  /** Makes an entry the latest; what was told of the one before counts until now. */
  #become(entry: Entry<K, V> | undefined, now: number): void {
    if (this.#again && this.#latest !== undefined) this.#touch(this.#latest, now);
    this.#again = false;
    this.#latest = entry;
  }

  #touch(entry: Entry<K, V>, now: number): void {
    entry.used = now;
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
  }
}
