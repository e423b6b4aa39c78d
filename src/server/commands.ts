/**
 * What a server tells a client on its control channel.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { encodeControlCommand, TAG_LENGTH } from "../protocol/messages.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";

const CREATE = encodeControlCommand("create-data-channel");
const HEARTBEAT = encodeControlCommand("heartbeat");

/** Requests that one write may carry. */
const MOST_PER_WRITE = 1024;
/** Milliseconds that a write may take: longer, and nobody reads there. */
const WRITE_TIMEOUT = 40_000;

/** What commands need. */
export interface CommandOptions {
  /** The control channel, to which nobody else writes. */
  readonly connection: Connection;
  /** Owns writes; left when one fails. */
  readonly scope: Scope;
  /** Times writes. */
  readonly clock: Clock;
}

/** Writes what is due, all that came together in one write, one write at a time. */
export class Commands {
  readonly #options: CommandOptions;
  #creates = 0;
  #heartbeat = false;
  #carriers: number | undefined;
  #writing = false;

  /** Nothing is due. */
  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Asks for so many data channels. */
  create(count: number): void {
    this.#creates += count;
    this.#send();
  }

  /** Says that the server is alive. */
  beat(): void {
    this.#heartbeat = true;
    this.#send();
  }

  /** Says how many carriers are welcome. */
  welcome(carriers: number): void {
    this.#carriers = carriers;
    this.#send();
  }

  #send(): void {
    if (this.#writing) return;
    this.#writing = true;
    const { clock, connection, scope } = this.#options;
    scope.run(async () => {
      try {
        for (let due = this.#next(); due !== undefined; due = this.#next()) {
          using _deadline = clock.after(WRITE_TIMEOUT, () => {
            scope.abort(
              new RatholeError("timeout", "the client does not read its control channel"),
            );
          });
          await connection.write(due);
        }
      } catch (error) {
        scope.abort(error);
      } finally {
        this.#writing = false;
      }
    });
  }

  #next(): Uint8Array | undefined {
    const creates = Math.min(this.#creates, MOST_PER_WRITE);
    const due: Uint8Array[] = new Array(creates).fill(CREATE);
    if (this.#heartbeat) due.push(HEARTBEAT);
    if (this.#carriers !== undefined) due.push(encodeControlCommand({ carriers: this.#carriers }));
    if (due.length === 0) return undefined;
    this.#creates -= creates;
    this.#heartbeat = false;
    this.#carriers = undefined;
    const bytes = new Uint8Array(due.length * TAG_LENGTH);
    due.forEach((command, index) => bytes.set(command, index * TAG_LENGTH));
    return bytes;
  }
}
