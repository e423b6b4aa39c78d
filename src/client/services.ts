/**
 * All services of a client, as the configuration has them at the moment.
 *
 * @module
 */

import type { Difference } from "../config/difference.ts";
import type { ClientConfig, ClientServiceConfig } from "../config/types.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { ClientContext } from "./context.ts";
import { Service, type ServiceKeys } from "./service.ts";

/** How a client's configuration has changed. */
export type ClientDifference = Difference<ClientConfig, ClientServiceConfig>;

const NO_KEYS: ServiceKeys = new Set();

/** See the module. */
export class Services {
  readonly #context: ClientContext;
  readonly #exhausted: (error: RatholeError) => void;
  #all: ReadonlyMap<string, Service> = new Map();

  /** None yet. `exhausted` is called once there is nothing left to try for any of them. */
  constructor(context: ClientContext, exhausted: (error: RatholeError) => void) {
    this.#context = context;
    this.#exhausted = exhausted;
  }

  /** Every configured service, in the order of the configuration. */
  get all(): readonly Service[] {
    return [...this.#all.values()];
  }

  /** Offers all that the configuration has. */
  start(): void {
    const { services } = this.#context.config;
    this.#all = new Map(Array.from(services, ([name, it]) => [name, this.#offer(name, it)]));
  }

  /**
   * Goes by a changed configuration, which is in force already; `moved` when the way to the server
   * is another one.
   */
  update({ keys, removed, changed }: ClientDifference, moved: boolean): void {
    // A session ends by this as well, and what has given up may succeed with another.
    const revive = keys.has("heartbeat_timeout");
    // A session says once, as it begins, what this client can do.
    const anew = moved || keys.has("carriers");
    for (const [name, service] of this.#all) {
      if (removed.has(name) || changed.get(name)?.keys.has("type")) service.remove();
    }
    const all = new Map<string, Service>();
    for (const [name, config] of this.#context.config.services) {
      const service = this.#all.get(name);
      const keys = changed.get(name)?.keys ?? NO_KEYS;
      if (service === undefined || keys.has("type")) {
        all.set(name, this.#offer(name, config));
        continue;
      }
      all.set(name, service);
      service.update(config, keys, anew || revive && service.state === "gave-up");
    }
    this.#all = all;
    this.#giveUpWhenAllHave();
  }

  #offer(name: string, config: ClientServiceConfig): Service {
    return new Service(name, config, this.#context, () => this.#giveUpWhenAllHave());
  }

  #giveUpWhenAllHave(): void {
    const { all } = this;
    // A client without services waits for the update that brings some.
    if (all.length === 0 || all.some(({ state }) => state !== "gave-up")) return;
    const reasons = all.map(({ name, lastError }) => `${name}: ${lastError}`);
    const message = `all services have given up (${reasons.join("; ")})`;
    this.#exhausted(new RatholeError("exhausted", message));
  }
}
