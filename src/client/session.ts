/**
 * One stay with the server for one service: its control channel, and the data channels that the
 * server asks for and has not used yet.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { readMessages } from "../net/read_exact.ts";
import { CARRIERS, encodeExtensionHeartbeat, encodeExtensionHello } from "../protocol/extension.ts";
import { decodeControlCommand, TAG_LENGTH } from "../protocol/messages.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { SilenceWatch } from "../runtime/silence.ts";

/**
 * Data channels that may be in the making, or wait for a visitor, at once; further requests wait
 * their turn. Fewer than the 511 connections that a listener's backlog usually holds.
 */
const MOST_OPENING = 500;
/** Requests that may wait: no sane server comes near, and a count is all that they are. */
const MOST_WANTED = 65_536;

/** What a session is made of. */
export interface SessionOptions {
  /** The authenticated control channel. */
  readonly connection: Connection;
  /** Whether the server reads extension frames. */
  readonly extended: boolean;
  /** Milliseconds of silence after which the server is given up; 0 never. */
  readonly heartbeatTimeout: number;
  /** Milliseconds between heartbeats to a server that reads them; 0 none. */
  readonly heartbeatInterval: number;
  /** Owns the control channel; left when the session ends. */
  readonly scope: Scope;
  /** Owns data channels in the making; may outlast the session for a moment. */
  readonly channels: Scope;
  /** Times everything. */
  readonly clock: Clock;
  /** How many carriers there are to be; 0 none. */
  readonly carriers: number;
  /** Hears how many of them the server takes. */
  welcome(count: number): void;
  /** Opens a data channel and sees it through until it carries a visitor; must not reject. */
  open(): Promise<void>;
}

/** See the module. */
export class Session {
  readonly #options: SessionOptions;
  #silence: SilenceWatch | undefined;
  #opening = 0;
  #wanted = 0;

  /** Ends with the scope. */
  constructor(options: SessionOptions) {
    this.#options = options;
    options.scope.onAbort((reason) => {
      options.connection.abort(reason);
      this.#silence?.cancel();
    });
  }

  /** Follows the server's commands until the session ends; never rejects. @returns why it ended */
  async follow(): Promise<unknown> {
    const { connection, extended, heartbeatTimeout, scope } = this.#options;
    if (extended) scope.run((signal) => this.#speak(signal));
    if (heartbeatTimeout > 0) this.#expectWord();
    try {
      for (;;) {
        // Under load commands come in clusters, and nothing but commands comes here.
        const chunk = await readMessages(connection, TAG_LENGTH);
        this.#silence?.heard();
        for (let at = 0; at < chunk.length; at += TAG_LENGTH) {
          const command = decodeControlCommand(chunk.subarray(at, at + TAG_LENGTH));
          if (command === "create-data-channel") this.#wanted++;
          else if (typeof command !== "string") this.#welcome(command.carriers);
        }
        this.#wanted = Math.min(MOST_WANTED, this.#wanted);
        this.#openNext();
      }
    } catch (error) {
      scope.abort(error);
      // The scope may have been left before there was a watch to cancel.
      this.#silence?.cancel();
      const reason = scope.signal.reason ?? error;
      if (!(reason instanceof RatholeError) || reason.code !== "closed") return reason;
      const message =
        `${reason.message}: the server stopped or was reconfigured, or another client took the ` +
        "service over";
      return new RatholeError("closed", message, { cause: reason });
    }
  }

  #openNext(): void {
    const { scope, channels, open } = this.#options;
    while (this.#wanted > 0 && this.#opening < MOST_OPENING && !scope.aborted) {
      this.#wanted--;
      this.#opening++;
      channels.run(async () => {
        try {
          await open();
        } finally {
          this.#opening--;
          this.#openNext();
        }
      });
    }
  }

  #welcome(carriers: number): void {
    const { carriers: wanted, extended, welcome } = this.#options;
    if (!extended || wanted === 0) {
      throw new RatholeError("protocol", "the server speaks of carriers, and was not asked");
    }
    welcome(carriers);
  }

  /** Says what this client can do, then that it is alive, until the session ends. */
  async #speak(signal: AbortSignal): Promise<void> {
    const { carriers, clock, connection, heartbeatInterval: interval, scope } = this.#options;
    try {
      const features = carriers > 0 ? CARRIERS : 0;
      await connection.write(encodeExtensionHello(features, interval, carriers));
      while (interval > 0) {
        await sleep(clock, interval, signal);
        if (signal.aborted) return;
        await connection.write(encodeExtensionHeartbeat());
      }
    } catch (error) {
      scope.abort(error);
    }
  }

  #expectWord(): void {
    const { clock, heartbeatTimeout, scope } = this.#options;
    this.#silence = new SilenceWatch(clock, heartbeatTimeout, () => {
      const message = `the server was silent for ${heartbeatTimeout / 1000} s`;
      scope.abort(new RatholeError("timeout", message));
    });
  }
}
