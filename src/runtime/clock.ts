/**
 * Time, behind an interface small enough to fake: what it is now, and "call me after".
 *
 * All deadlines of an instance stand in one ordered set served by one timer. A timer each would
 * cost a runtime resource a connection, and an `AbortSignal.timeout` several microseconds and
 * kilobytes until it fires; here arming and cancelling is a few array moves.
 *
 * @module
 */

/** A call that is due; cancelling it, or leaving the `using` block that holds it, takes it back. */
export interface Deadline extends Disposable {
  /** Takes the call back. Has no effect once it was made or taken back. */
  cancel(): void;
}

/** A source of time. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never runs backwards when the wall clock is set. */
  now(): number;
  /** Calls `expire` once, `ms` milliseconds from now; at once in the next turn for 0 or less. */
  after(ms: number, expire: () => void): Deadline;
}

/** The longest a single timer may wait (2^31 - 1 ms); a later deadline is reached in steps. */
const LONGEST_TIMER = 2_147_483_647;

interface Entry {
  due: number;
  expire: (() => void) | null;
  index: number;
}

/** The {@linkcode Clock} of the machine. Holds a timer only while a deadline is pending. */
export class SystemClock implements Clock {
  /** A binary heap, earliest first; every entry knows its index so that it can leave. */
  readonly #heap: Entry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;
  readonly #now: () => number;

  /** `now` in milliseconds; it exists for tests that must hold time still. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** See {@linkcode Clock.now}. */
  now(): number {
    return this.#now();
  }

  /** See {@linkcode Clock.after}. */
  after(ms: number, expire: () => void): Deadline {
    const entry: Entry = { due: this.now() + Math.max(0, ms), expire, index: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    this.#arm();
    const cancel = () => this.#cancel(entry);
    return { cancel, [Symbol.dispose]: cancel };
  }

  #cancel(entry: Entry): void {
    if (entry.expire === null) return;
    entry.expire = null;
    this.#remove(entry);
    // A timer that fires early finds nothing due and arms itself anew: cheaper than moving it.
    if (this.#heap.length === 0) this.#disarm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.due >= this.#timerDue) return;
    this.#disarm();
    this.#timerDue = first.due;
    const wait = Math.min(LONGEST_TIMER, Math.max(0, Math.ceil(first.due - this.now())));
    this.#timer = setTimeout(() => this.#fire(), wait);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = Infinity;
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDue = Infinity;
    const now = this.now();
    try {
      for (let first = this.#heap[0]; first !== undefined && first.due <= now;) {
        const expire = first.expire;
        first.expire = null;
        this.#remove(first);
        expire?.();
        first = this.#heap[0];
      }
    } finally {
      this.#arm();
    }
  }

  #remove(entry: Entry): void {
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#heap[entry.index] = last;
    last.index = entry.index;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1];
      if (parent === undefined || parent.due <= entry.due) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const least = right !== undefined && left !== undefined && right.due < left.due
        ? right
        : left;
      if (least === undefined || least.due >= entry.due) return;
      this.#swap(entry, least);
    }
  }

  #swap(a: Entry, b: Entry): void {
    [a.index, b.index] = [b.index, a.index];
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}

/**
 * Waits `ms` milliseconds, or until the signal is aborted, whichever is first; never rejects.
 * The caller looks at the signal to tell which.
 */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      deadline.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const deadline = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
