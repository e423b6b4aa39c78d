/**
 * Events of a server or client, collected and waited for.
 *
 * @module
 */

import { PATIENCE, soon } from "./patience.ts";

/** The event of a union with this type. */
export type EventOf<E extends { readonly type: string }, T extends E["type"]> = Extract<
  E,
  { readonly type: T }
>;

/** Collects events from now on, until their stream ends. */
export class Watch<E extends { readonly type: string }> {
  /** All events since the start or the last {@linkcode Watch.forget}. */
  seen: E[] = [];
  readonly #ended: Promise<void>;
  #arrived = Promise.withResolvers<void>();

  constructor(events: AsyncIterable<E>) {
    this.#ended = this.#collect(events);
  }

  /** Forgets what was seen, so that only later events are waited for. */
  forget(): void {
    this.seen = [];
  }

  /** All events of a type. */
  all<T extends E["type"]>(type: T): EventOf<E, T>[] {
    return this.seen.filter((event): event is EventOf<E, T> => event.type === type);
  }

  /** An event of a type, one that was seen already or the next. */
  until<T extends E["type"]>(
    type: T,
    good: (event: EventOf<E, T>) => boolean = () => true,
    ms = PATIENCE,
  ): Promise<EventOf<E, T>> {
    const search = async () => {
      for (;;) {
        const found = this.all(type).find(good);
        if (found !== undefined) return found;
        await this.#arrived.promise;
      }
    };
    return soon(`event ${type}`, search(), ms).catch((error: unknown) => {
      throw new Error(`${error}; seen: ${Deno.inspect(this.seen.slice(-20), { depth: 3 })}`);
    });
  }

  /** Resolves when the stream of events has ended. */
  get ended(): Promise<void> {
    return soon("the end of the events", this.#ended);
  }

  async #collect(events: AsyncIterable<E>): Promise<void> {
    for await (const event of events) {
      this.seen.push(event);
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers<void>();
    }
  }
}
