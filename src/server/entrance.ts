/**
 * Where clients connect, and how they are spoken to there.
 *
 * @module
 */

import type { Address } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain, RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import type { Incoming, Listener, Transport } from "../transport/transport.ts";
import { acceptAt } from "./accept.ts";
import { type Change, type MakeWay, openBeside } from "./change.ts";
import type { ServerContext } from "./context.ts";

/** The longest pause between attempts to listen, in milliseconds. */
const LONGEST_BIND_PAUSE = 1_000;

/** What the entrance shares with the rest of the server. */
export type EntranceContext = Pick<ServerContext, "admission" | "clock" | "journal" | "intake">;

/** Where an entrance is to be, and what is spoken there. */
export interface Place {
  /** What is spoken there. */
  readonly transport: Transport;
  /** Where to listen. */
  readonly at: Address;
  /** Whether those who are in can go on: their next connections would be understood. */
  readonly keep: boolean;
}

/** Takes a connection; the scope is that of all who came in as it did. */
export type Take = (incoming: Incoming, scope: Scope) => void;

/** See the module. */
export class Entrance {
  #transport: Transport;
  #listener: Listener;
  #context: EntranceContext | undefined;
  #take: Take = (incoming) => incoming.abort();
  /** Owns the accept loop. */
  #listening: Scope | undefined;
  /** Owns handshakes and sessions of those who came in. */
  #guests: Scope | undefined;

  /** Listens from now on. @throws {RatholeError} as {@linkcode Transport.bind} */
  constructor(transport: Transport, at: Address) {
    this.#transport = transport;
    this.#listener = transport.bind(at);
  }

  /** Where clients connect; a port of 0 has become a real one. */
  get address(): Address {
    return this.#listener.address;
  }

  /** Takes those who connect from now on, until the intake is left. */
  run(context: EntranceContext, take: Take): void {
    this.#context = context;
    this.#take = take;
    this.#guests = context.intake.child();
    this.#accept();
  }

  /** Stops listening where it has not begun to {@linkcode Entrance.run}. */
  close(): void {
    this.#listener.close();
  }

  /** Closes to make way for another; {@linkcode Entrance.restore} opens it again. */
  vacate(): void {
    this.#listening?.abort();
  }

  /** Opens what had to make way in vain, trying until it succeeds. */
  restore(): void {
    const { clock, intake, journal } = this.#running();
    if (!this.#listening?.aborted || intake.aborted) return;
    const { address } = this.#listener;
    const scope = this.#listening = intake.child();
    scope.run(async (signal) => {
      const backoff = new Backoff(LONGEST_BIND_PAUSE);
      while (!signal.aborted) {
        try {
          const open = () => this.#transport.bind(address);
          const makeWay = () => true;
          const { port } = address;
          this.#listener = await openBeside({ port, clock, scope, makeWay, open });
          if (signal.aborted) return this.#listener.close();
          scope.abort();
          return this.#accept();
        } catch (error) {
          journal.record({ type: "accept-failed", address, reason: explain(error) });
          await sleep(clock, backoff.next(), signal);
        }
      }
    });
  }

  /** Prepares to be somewhere else, or to speak differently. @throws {RatholeError} */
  async move({ transport, at, keep }: Place, makeWay: MakeWay): Promise<Change> {
    const { clock, intake, journal } = this.#running();
    const open = () => transport.bind(at);
    const listener = await openBeside({ port: at.port, clock, scope: intake, makeWay, open });
    return {
      commit: () => {
        this.#listening?.abort();
        this.#transport = transport;
        this.#listener = listener;
        if (!keep) {
          const reason = "the server listens elsewhere or speaks differently from now on";
          this.#guests?.abort(new RatholeError("aborted", reason));
          this.#guests = intake.child();
        }
        this.#accept();
        journal.record({ type: "listening", address: listener.address });
      },
      discard: () => listener.close(),
    };
  }

  #accept(): void {
    const { intake } = this.#running();
    const listener = this.#listener;
    const scope = this.#listening = intake.child();
    scope.onAbort(() => listener.close());
    const take = (incoming: Incoming) => {
      if (this.#guests !== undefined) this.#take(incoming, this.#guests);
    };
    scope.run((signal) => acceptAt(listener, take, this.#running(), signal));
  }

  #running(): EntranceContext {
    if (this.#context === undefined) throw new Error("not running yet");
    return this.#context;
  }
}
