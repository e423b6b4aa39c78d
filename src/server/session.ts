/**
 * One client's hold on one service: its control channel and the data channels that belong to it.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import {
  decodeExtension,
  EXTENSION_HEADER_LENGTH,
  extensionPayloadLength,
} from "../protocol/extension.ts";
import { encodeControlCommand, TAG_LENGTH } from "../protocol/messages.ts";
import { type Address, sourceNetwork } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { SilenceWatch } from "../runtime/silence.ts";
import { FrameRate } from "./frame_rate.ts";
import { ChannelPool } from "./pool.ts";
import { Pulse } from "./pulse.ts";
import type { ReserveBounds } from "./reserve.ts";

const CREATE = encodeControlCommand("create-data-channel");
const HEARTBEAT = encodeControlCommand("heartbeat");

/** Requests that one write may carry. */
const MOST_PER_WRITE = 1024;
/** Milliseconds that a write on the control channel may take: longer, and nobody reads there. */
const WRITE_TIMEOUT = 40_000;
/** A client that announced heartbeats is given up after this many of its intervals in silence. */
const SILENT_INTERVALS = 4 / 3;

/** What a session is made of. */
export interface SessionOptions {
  /** The authenticated control channel. */
  readonly connection: Connection;
  /** Where its socket comes from, if that is a proxy that named the client behind it. */
  readonly via?: Address | undefined;
  /** What data channels are recognised by: 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds between heartbeats to the client, and between probes of one of 0.5.0; 0 none. */
  heartbeatInterval(): number;
  /** Bytes that came back from the service's clients so far. */
  received(): number;
  /** Data channels to keep in reserve. */
  readonly reserve: ReserveBounds;
  /** Most data channels. */
  readonly poolLimit: number;
  /** Owns the session's tasks; left when the session ends. */
  readonly scope: Scope;
  /** Times everything. */
  readonly clock: Clock;
}

/** See the module. Ends when the client goes, falls silent, breaks the protocol, or is displaced. */
export class Session {
  /** What data channels are recognised by. */
  readonly key: Uint8Array;
  /** The client's address. */
  readonly peer: Address;
  /** The network that its connections come from, as `sourceNetwork` names it. */
  readonly network: string;
  /** Owns the session's tasks. */
  readonly scope: Scope;
  /** The data channels. */
  readonly pool: ChannelPool;
  readonly #options: SessionOptions;
  #pulse: Pulse | undefined;
  #creates = 0;
  #heartbeatDue = false;
  #writing = false;
  #silence: SilenceWatch | undefined;
  #extended = false;

  /** Starts at once to ask for data channels and to send heartbeats. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.key = options.key;
    this.peer = options.connection.peer;
    this.network = sourceNetwork((options.via ?? this.peer).hostname);
    this.scope = options.scope;
    options.connection.setNoDelay(true);
    this.pool = new ChannelPool({
      reserve: options.reserve,
      limit: options.poolLimit,
      clock: options.clock,
      request: (count) => {
        // The pool's first requests are made while it is made.
        this.#pulse?.notice();
        this.#creates += count;
        this.#send();
      },
    });
    this.#pulse = new Pulse({
      clock: options.clock,
      pool: this.pool,
      interval: options.heartbeatInterval,
      received: options.received,
      beat: () => {
        this.#heartbeatDue = true;
        this.#send();
      },
      end: (reason) => this.end(reason),
    });
    this.scope.onAbort((reason) => {
      options.connection.abort(reason);
      this.#silence?.cancel();
      this.#pulse?.cancel();
      this.pool.close(reason ?? new RatholeError("aborted", "the server is stopping"));
    });
  }

  /** Whether the client said that it is more than rathole 0.5.0. */
  get extended(): boolean {
    return this.#extended;
  }

  /** Ends the session. */
  end(reason: unknown): void {
    this.scope.abort(reason);
  }

  /**
   * Reads what the client says until the session ends; a 0.5.0 client says nothing, and its end is
   * what there is to read.
   *
   * @returns why it ended
   */
  async listen(): Promise<unknown> {
    const { clock, connection } = this.#options;
    const rate = new FrameRate(clock);
    try {
      for (;;) {
        const header = await readExact(connection, EXTENSION_HEADER_LENGTH);
        rate.count();
        const type = header[0] ?? 0;
        const length = extensionPayloadLength(header);
        const payload = length === 0 ? new Uint8Array(0) : await readExact(connection, length);
        this.#hear(type, payload);
      }
    } catch (error) {
      this.end(error);
      // A last word may have come after the scope was left.
      this.#silence?.cancel();
      return this.scope.signal.reason ?? error;
    }
  }

  #hear(type: number, payload: Uint8Array): void {
    const frame = decodeExtension(type, payload);
    if (frame.type === "hello") {
      this.#extended = true;
      const beats = frame.heartbeatInterval > 0;
      this.pool.tellsOtherwise = beats;
      if (this.#pulse !== undefined) this.#pulse.announced = beats;
      this.#silence?.cancel();
      if (frame.heartbeatInterval > 0) this.#expectHeartbeats(frame.heartbeatInterval);
    } else {
      this.#silence?.heard();
    }
  }

  #expectHeartbeats(interval: number): void {
    const patience = interval * SILENT_INTERVALS;
    this.#silence = new SilenceWatch(this.#options.clock, patience, () => {
      const message = `the client was silent for ${Math.round(patience) / 1000} s`;
      this.end(new RatholeError("timeout", message));
    });
  }

  /** Writes what is due, all that came together in one write, one write at a time. */
  #send(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.scope.run(async () => {
      const { clock, connection } = this.#options;
      try {
        while (this.#creates > 0 || this.#heartbeatDue) {
          using _deadline = clock.after(WRITE_TIMEOUT, () => {
            this.end(new RatholeError("timeout", "the client does not read its control channel"));
          });
          await connection.write(this.#nextWrite());
        }
      } catch (error) {
        this.end(error);
      } finally {
        this.#writing = false;
      }
    });
  }

  #nextWrite(): Uint8Array {
    const creates = Math.min(this.#creates, MOST_PER_WRITE);
    const bytes = new Uint8Array((creates + (this.#heartbeatDue ? 1 : 0)) * TAG_LENGTH);
    for (let i = 0; i < creates; i++) bytes.set(CREATE, i * TAG_LENGTH);
    if (this.#heartbeatDue) bytes.set(HEARTBEAT, creates * TAG_LENGTH);
    this.#creates -= creates;
    this.#heartbeatDue = false;
    return bytes;
  }
}
