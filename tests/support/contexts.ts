/**
 * What the parts of a server or client share, made for tests: no socket, time that stands still.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ClientContext } from "../../src/client/context.ts";
import type { ClientEvent } from "../../src/client/events.ts";
import { openClientJournal } from "../../src/client/journal.ts";
import type { ClientOptions, ServerOptions } from "../../src/config/options.ts";
import { validateClientConfig, validateServerConfig } from "../../src/config/validate.ts";
import { BufferStore } from "../../src/net/buffers.ts";
import type { Connection } from "../../src/net/connection.ts";
import { Scope } from "../../src/runtime/scope.ts";
import { Admission } from "../../src/server/admission.ts";
import { Growth } from "../../src/server/reserve.ts";
import type { ServerContext } from "../../src/server/context.ts";
import type { ServerEvent } from "../../src/server/events.ts";
import { openServerJournal } from "../../src/server/journal.ts";
import { Registry } from "../../src/server/registry.ts";
import { Service } from "../../src/server/service.ts";
import type { ConnectOptions, Transport } from "../../src/transport/transport.ts";
import { FakeClock } from "./fake_clock.ts";
import { turn } from "./turns.ts";

/** Gathers what a journal publishes. */
class Events<E extends { readonly type: string }> {
  readonly all: E[] = [];

  constructor(source: AsyncIterable<E>) {
    // Ends with the journal's stream.
    void this.#gather(source);
  }

  async #gather(source: AsyncIterable<E>): Promise<void> {
    for await (const event of source) this.all.push(event);
  }

  /** The types so far, in order. */
  get types(): string[] {
    return this.all.map(({ type }) => type);
  }

  /** The events of a type so far. */
  of<T extends E["type"]>(type: T): Extract<E, { type: T }>[] {
    return this.all.filter((event): event is Extract<E, { type: T }> => event.type === type);
  }
}

/** What is left in the end, and proves that nothing else was. */
interface Left {
  readonly clock: FakeClock;
  readonly context: { readonly journal: { readonly stream: { end(): void } } };
  readonly faults: readonly unknown[];
}

async function leaveClean({ clock, context, faults }: Left, root: Scope): Promise<void> {
  root.abort(new Error("the test is over"));
  await root.join();
  await turn();
  context.journal.stream.end();
  await turn();
  assert.deepEqual(faults, []);
  assert.equal(clock.pending, 0, "deadlines left behind");
}

/** A server without its listener. Leaving it proves that nothing was left behind. */
export class TestServer implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly registry = new Registry();
  readonly context: ServerContext;
  readonly events: Events<ServerEvent>;
  readonly faults: unknown[] = [];
  readonly #root = new Scope((error) => this.faults.push(error));

  constructor(options: Partial<ServerOptions> = {}) {
    const config = validateServerConfig({
      bind_addr: "127.0.0.1:0",
      default_token: "token",
      services: {},
      ...options,
    });
    const journal = openServerJournal(() => this.clock.now());
    this.events = new Events(journal.stream.subscribe());
    this.context = {
      config,
      buffers: new BufferStore(),
      clock: this.clock,
      journal,
      admission: new Admission(() => config, this.registry, this.clock),
      growth: new Growth(256),
      intake: this.#root.child(),
      streams: this.#root.child(),
      carriers: this.#root.child(),
    };
  }

  /** Makes the configured services known. */
  async addServices(): Promise<void> {
    const { services } = this.context.config;
    const made = Array.from(services, ([name, it]) => new Service(name, it, this.context));
    (await this.registry.arrange(made))();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return leaveClean(this, this.#root);
  }
}

/** Answers a client's attempts to connect. */
export type Connect = (options: ConnectOptions, attempt: number) => Promise<Connection>;

/** A client that reaches nothing but what a test answers with. */
export class TestClient implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly context: ClientContext;
  /** What an update replaces. */
  current: Pick<ClientContext, "config" | "route">;
  readonly events: Events<ClientEvent>;
  readonly faults: unknown[] = [];
  attempts = 0;
  readonly #root = new Scope((error) => this.faults.push(error));

  constructor(options: Partial<ClientOptions>, connect: Connect) {
    const config = validateClientConfig({
      remote_addr: "192.0.2.1:2333",
      default_token: "token",
      services: {},
      ...options,
    });
    const journal = openClientJournal(() => this.clock.now());
    this.events = new Events(journal.stream.subscribe());
    const transport: Transport = {
      connect: (_to, options) => connect(options, ++this.attempts),
      bind: () => {
        throw new Error("a client does not listen");
      },
    };
    this.current = { config, route: { server: { hostname: "192.0.2.1", port: 2333 }, transport } };
    const current = () => this.current;
    this.context = {
      get config() {
        return current().config;
      },
      get route() {
        return current().route;
      },
      buffers: new BufferStore(),
      clock: this.clock,
      journal,
      intake: this.#root.child(),
      streams: this.#root.child(),
      carriers: this.#root.child(),
    };
  }

  /** The configuration of its only service. */
  get service() {
    const [first] = this.context.config.services;
    assert.ok(first);
    return { name: first[0], config: first[1] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return leaveClean(this, this.#root);
  }
}
