/**
 * Events from one publisher to any number of readers, none of whom can slow it down.
 *
 * @module
 */

/** How many events a reader may fall behind before it loses the oldest. */
const LONGEST_QUEUE = 1024;

interface Reader<E> {
  queue: E[];
  /** Reads that wait; usually one, but nothing forbids more. */
  wake: (() => void)[];
}

/** Hands every event to every reader that has subscribed by then. */
export class EventStream<E> {
  readonly #readers = new Set<Reader<E>>();
  #ended = false;

  /** Gives the event to all readers; a reader 1024 events behind loses its oldest. */
  publish(event: E): void {
    if (this.#ended) return;
    for (const reader of this.#readers) {
      if (reader.queue.length >= LONGEST_QUEUE) reader.queue.shift();
      reader.queue.push(event);
      wake(reader);
    }
  }

  /** Ends the iteration of all readers once they have read what they have. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) wake(reader);
  }

  /** Events from this call on, until the stream ends or the loop is left. */
  subscribe(): AsyncIterableIterator<E> {
    const reader: Reader<E> = { queue: [], wake: [] };
    this.#readers.add(reader);
    const leave = (): Promise<IteratorResult<E>> => {
      this.#readers.delete(reader);
      reader.queue = [];
      wake(reader);
      return Promise.resolve({ done: true, value: undefined });
    };
    const next = async (): Promise<IteratorResult<E>> => {
      for (;;) {
        const event = reader.queue.shift();
        if (event !== undefined) return { done: false, value: event };
        if (this.#ended || !this.#readers.has(reader)) return leave();
        const { promise, resolve } = Promise.withResolvers<void>();
        reader.wake.push(resolve);
        await promise;
      }
    };
    return {
      next,
      return: leave,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

function wake(reader: Reader<unknown>): void {
  for (const resolve of reader.wake.splice(0)) resolve();
}
