/**
 * What a stream needs of its carrier.
 *
 * @module
 */

import type { BufferStore } from "../net/buffers.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WindowBudget } from "./credit.ts";
import type { SendingHost } from "./sending.ts";
import type { Stream } from "./stream.ts";

/** See the module. */
export interface StreamHost extends SendingHost {
  /** The other end. */
  readonly peer: Address;
  /** Where buffers come from. */
  readonly buffers: BufferStore;
  /** Times the wait for the other end. */
  readonly clock: Clock;
  /** By how much windows may grow. */
  readonly budget: WindowBudget;
  /** Hears of streams that move bulk. */
  readonly bulky?: ((stream: Stream) => void) | undefined;
  /** Something has come for the reader: {@linkcode Stream.wake} is to be called soon. */
  ready(stream: Stream): void;
  /** No frame of it is to come or to go any more. */
  over(stream: Stream): void;
}
