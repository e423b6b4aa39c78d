/**
 * What a stream is meant to do, in plain numbers.
 *
 * @module
 */

import type { Channel, Court } from "./court.ts";
import { EndModel } from "./end_model.ts";

/** A stream at both ends. */
export class StreamModel {
  /** Counted from 0. */
  readonly index: number;
  /** Its number on the wire. */
  readonly id: number;
  /** The server's and the client's. */
  readonly ends: readonly [EndModel, EndModel];
  channel: Channel | undefined;
  /** Whether anything has happened for which calls may be rejected. */
  cut = false;
  /** Whether anything has happened for which bytes may be missing. */
  lossy = false;
  /** Reasons that the test itself has cut it for. */
  readonly reasons: unknown[] = [];

  /** Open at the server's end only. */
  constructor(index: number, id: number, court: Court) {
    this.index = index;
    this.id = id;
    this.ends = [new EndModel(this, 0, court), new EndModel(this, 1, court)];
  }

  /** Its data channel is lost, or of no use. */
  loseChannel(): void {
    this.cut = this.lossy = true;
  }
}
