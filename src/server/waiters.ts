/**
 * Those who wait for a data channel.
 *
 * @module
 */

import type { Clock, Deadline } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { DataChannel } from "./pool.ts";

interface Waiter {
  readonly resolve: (channel: DataChannel) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: Deadline | undefined;
}

/** Who waits longest is served first. */
export class Waiters {
  readonly #clock: Clock;
  /** Longest first. */
  readonly #all: Waiter[] = [];

  /** Nobody waits. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#all.length;
  }

  /** One more, for so many milliseconds at most. @throws {RatholeError} `timeout`, or why it closed */
  wait(timeout?: number): Promise<DataChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<DataChannel>();
    const deadline = timeout === undefined ? undefined : this.#clock.after(timeout, () => {
      this.#all.splice(this.#all.indexOf(waiter), 1);
      const message = `the client opened no data channel within ${Math.round(timeout) / 1000} s`;
      reject(new RatholeError("timeout", message));
    });
    const waiter: Waiter = { resolve, reject, deadline };
    this.#all.push(waiter);
    return promise;
  }

  /** Serves who waits longest; somebody must. */
  serve(channel: DataChannel): void {
    const waiter = this.#all.shift();
    waiter?.deadline?.cancel();
    waiter?.resolve(channel);
  }

  /** Sends everybody away. */
  close(reason: unknown): void {
    for (const waiter of this.#all.splice(0)) {
      waiter.deadline?.cancel();
      waiter.reject(reason);
    }
  }
}
