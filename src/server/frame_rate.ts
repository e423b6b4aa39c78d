/**
 * How fast an authenticated client may talk on its control channel.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { type Rate, TokenBucket } from "./token_bucket.ts";

/**
 * A client has a heartbeat to send, every 30 s with default settings and several times a second
 * with the shortest that make sense. Frames that waited for each other on a bad line arrive
 * together; a client whose line is that bad for longer has given up before these are.
 */
const FRAMES: Rate = { perSecond: 32, burst: 256 };

/**
 * Ends a session whose client floods its control channel: a frame costs the server a hundred times
 * what it costs the client, so one client could take the processor from all others.
 *
 * A session counts every frame it reads, known or not, before it looks at the payload.
 */
export class FrameRate {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  /** Counts from now on. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(FRAMES, clock.now());
  }

  /** One more frame. @throws {RatholeError} `limit` when it is one too many */
  count(): void {
    if (this.#bucket.take(FRAMES, this.#clock.now())) return;
    throw new RatholeError(
      "limit",
      `the client sends more than ${FRAMES.perSecond} frames a second on its control channel`,
    );
  }
}
