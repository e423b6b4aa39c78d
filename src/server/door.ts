/**
 * Where a service's visitors connect: open as long as a client offers the service.
 *
 * @module
 */

import type { ServerServiceConfig } from "../config/types.ts";
import { type Address, configuredAddress } from "../runtime/address.ts";
import { Backoff } from "../runtime/backoff.ts";
import { sleep } from "../runtime/clock.ts";
import { explain } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";
import { type Change, type MakeWay, openBeside, simply } from "./change.ts";
import type { Front, FrontOptions } from "./front.ts";
import { TcpVisitors } from "./tcp_visitors.ts";
import { UdpVisitors } from "./udp_visitors.ts";

/** The longest pause between attempts to listen for visitors, in milliseconds. */
const LONGEST_BIND_PAUSE = 5_000;

/** See the module. */
export class Door {
  readonly #options: FrontOptions;
  #front: Front | undefined;
  #scope: Scope | undefined;

  /** Closed at first. */
  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Where visitors connect; undefined while they cannot. */
  get address(): Address | undefined {
    return this.#front?.address;
  }

  /** Lets visitors in, if it does not yet; those of the session before go on with this one. */
  open(): void {
    if (this.#scope === undefined) this.#listen();
    else this.#serve();
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#scope?.abort();
    this.#scope = undefined;
    this.#front = undefined;
  }

  /** Closes to make way for another; {@linkcode Door.restore} opens it again. */
  vacate(): void {
    this.#scope?.abort();
  }

  /** Opens what had to make way in vain, unless it was closed or opened since. */
  restore(): void {
    if (this.#scope?.aborted) this.#restart();
  }

  /**
   * Prepares to be where a changed configuration says.
   *
   * @throws {RatholeError} `bind`, `resolve` or `permission`
   */
  async move(to: ServerServiceConfig, makeWay: MakeWay): Promise<Change> {
    // Nobody is let in: the next time it opens, it opens there.
    if (this.#scope === undefined) return simply(() => {});
    if (this.#front === undefined) return simply(() => this.#restart());
    const scope = this.#options.context.intake.child();
    const stays = to.bind_addr === this.#options.config().bind_addr;
    // A port of 0 stays the one that it has become.
    const at = stays ? this.#front.address : configuredAddress(to.bind_addr);
    let front: Front;
    try {
      front = await this.#openAt(at, to, scope, makeWay);
    } catch (error) {
      scope.abort();
      throw error;
    }
    return {
      commit: () => {
        this.#scope?.abort();
        this.#scope = scope;
        this.#front = front;
        if (this.#options.session() === undefined) this.close();
        else this.#opened(front);
      },
      discard: () => scope.abort(),
    };
  }

  #restart(): void {
    this.close();
    if (this.#options.session() !== undefined) this.#listen(() => true);
  }

  /** Opens, trying until it succeeds: a port may be taken for a while after a restart. */
  #listen(makeWay: MakeWay = () => false): void {
    const { context, name } = this.#options;
    const { clock, journal } = context;
    const scope = this.#scope = context.intake.child();
    scope.run(async (signal) => {
      const backoff = new Backoff(LONGEST_BIND_PAUSE);
      while (!signal.aborted) {
        try {
          const config = this.#options.config();
          const at = configuredAddress(config.bind_addr);
          const front = await this.#openAt(at, config, scope, makeWay);
          if (signal.aborted) return;
          this.#front = front;
          return this.#opened(front);
        } catch (error) {
          const reason = explain(error);
          const retryIn = backoff.next();
          journal.record({ type: "service-bind-failed", service: name, reason, retryIn });
          await sleep(clock, retryIn, signal);
        }
      }
    });
  }

  #opened({ address }: Front): void {
    const { context, name } = this.#options;
    context.journal.record({ type: "service-listening", service: name, address });
    this.#serve();
  }

  #serve(): void {
    const session = this.#options.session();
    if (session !== undefined) this.#front?.serve(session);
  }

  #openAt(
    at: Address,
    config: ServerServiceConfig,
    scope: Scope,
    makeWay: MakeWay,
  ): Promise<Front> {
    const open = () =>
      config.type === "tcp"
        ? new TcpVisitors(at, this.#options, scope)
        : UdpVisitors.open(at, config.udp_data_channels, this.#options, scope);
    const { clock } = this.#options.context;
    return openBeside<Front>({ port: at.port, clock, scope, makeWay, open });
  }
}
