/**
 * What is on its way over a long line: bytes that leave when their time has come, in order.
 *
 * @module
 */

/** Some bytes, or null for the end of them, and when they leave in milliseconds of the clock. */
export interface Late {
  readonly due: number;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

/** One direction of a connection: who reads puts in, who writes takes out. */
export class LateQueue {
  readonly #most: number;
  #items: Late[] = [];
  #held = 0;
  #wakeTaker: (() => void) | undefined;
  #wakeGiver: (() => void) | undefined;

  /** Holds so many bytes, and what comes at once above that. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes that are on their way. */
  get held(): number {
    return this.#held;
  }

  /** Puts in; resolves as soon as there is room for more. */
  async give(item: Late): Promise<void> {
    this.#items.push(item);
    this.#held += item.bytes?.length ?? 0;
    this.#wakeTaker?.();
    while (this.#held >= this.#most) {
      await new Promise<void>((resolve) => this.#wakeGiver = resolve);
    }
  }

  /** Everything that is there and not yet taken; waits where there is nothing. */
  async take(): Promise<readonly Late[]> {
    while (this.#items.length === 0) {
      await new Promise<void>((resolve) => this.#wakeTaker = resolve);
    }
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** These bytes have arrived. */
  arrived(count: number): void {
    this.#held -= count;
    if (this.#held < this.#most) this.#wakeGiver?.();
  }
}
