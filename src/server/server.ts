/**
 * The public end of the tunnel.
 *
 * @module
 */

import type { ServerOptions } from "../config/options.ts";
import type { ServerConfig } from "../config/types.ts";
import { validateServerConfig } from "../config/validate.ts";
import { BufferStore } from "../net/buffers.ts";
import { mayUse, requireAddresses } from "../net/permission.ts";
import { type Address, configuredAddress } from "../runtime/address.ts";
import { type Clock, SystemClock } from "../runtime/clock.ts";
import { Lifecycle, type StartOptions, throwIfAborted } from "../runtime/lifecycle.ts";
import { openTransport } from "../transport/open.ts";
import { recordIn } from "../transport/journal.ts";
import type { Incoming, Listener } from "../transport/transport.ts";
import { acceptAt } from "./accept.ts";
import { Admission } from "./admission.ts";
import type { ServerContext } from "./context.ts";
import type { ServerEvent } from "./events.ts";
import { greet } from "./greet.ts";
import { openServerJournal, type ServerJournal } from "./journal.ts";
import { Registry } from "./registry.ts";
import { Service } from "./service.ts";
import { type ServerStatus, serviceStatus } from "./status.ts";

/** A running server. Leaving it (`await using`) ends it at once, open streams included. */
export interface Server extends AsyncDisposable {
  /** Where clients connect; a port of 0 has become a real one. */
  readonly address: Address;
  /** Resolves when the server has ended, whoever ended it. Never rejects. */
  readonly closed: Promise<void>;
  /** The server at this moment. */
  status(): ServerStatus;
  /** What happens from now on. A reader that falls 1024 events behind loses the oldest. */
  events(): AsyncIterable<ServerEvent>;
  /**
   * Takes nothing new, lets open streams finish for `drain_timeout` at most, then ends the server.
   * Called again while it drains, it ends the server at once.
   */
  drain(): Promise<void>;
}

/**
 * Starts a server. It prints nothing: what happens is told to those who configure LogTape
 * (category `rathole`) or read its events.
 *
 * @throws {RatholeError} `config` for an invalid configuration or a file that it names and that
 * cannot be used, `bind`, `resolve` or `permission` when it cannot listen.
 */
export async function startServer(
  config: ServerOptions | ServerConfig,
  options: StartOptions = {},
): Promise<Server> {
  throwIfAborted(options.signal);
  const complete = validateServerConfig(config);
  const buffers = new BufferStore();
  const clock = new SystemClock();
  const journal = openServerJournal(() => clock.now());
  const transport = await openTransport("server", complete.transport, {
    buffers,
    clock,
    events: recordIn(journal),
  });
  const at = configuredAddress(complete.bind_addr);
  const doors = Array.from(complete.services.values(), (it) => configuredAddress(it.bind_addr));
  requireAddresses("listening on", [at, ...doors]);
  const registry = new Registry();
  const parts = { buffers, clock, journal };
  const server = new RunningServer(complete, transport.bind(at), registry, parts);
  try {
    await server.run(options.signal);
    throwIfAborted(options.signal);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

class RunningServer implements Server {
  readonly address: Address;
  readonly closed: Promise<void>;
  readonly #clock: Clock;
  readonly #journal: ServerJournal;
  readonly #lifecycle: Lifecycle;
  readonly #context: ServerContext;
  readonly #listener: Listener;
  readonly #registry: Registry;
  readonly #ended = Promise.withResolvers<void>();

  constructor(
    config: ServerConfig,
    listener: Listener,
    registry: Registry,
    { buffers, clock, journal }: Pick<ServerContext, "buffers" | "clock" | "journal">,
  ) {
    this.#clock = clock;
    this.#journal = journal;
    this.closed = this.#ended.promise;
    this.address = listener.address;
    this.#listener = listener;
    this.#registry = registry;
    this.#lifecycle = new Lifecycle({
      what: "server",
      clock: this.#clock,
      drainTimeout: config.drain_timeout * 1000,
      draining: (streams) => this.#journal.record({ type: "draining", streams }),
      stopped: () => {
        this.#journal.record({ type: "stopped" });
        this.#journal.stream.end();
        this.#ended.resolve();
      },
      fault: (reason) => this.#journal.record({ type: "fault", reason }),
    });
    this.#context = {
      config,
      buffers,
      clock: this.#clock,
      journal: this.#journal,
      admission: new Admission(config, registry),
      intake: this.#lifecycle.intake,
      streams: this.#lifecycle.streams,
    };
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    const { config, intake } = this.#context;
    intake.onAbort(() => this.#listener.close());
    for (const [name, service] of config.services) {
      await this.#registry.addService(new Service(name, service, this.#context));
    }
    const admit = (incoming: Incoming) => this.#admit(incoming);
    intake.run((signal) => acceptAt(this.#listener, admit, this.#context, signal));
    this.#journal.record({ type: "listening", address: this.address });
    const replies = Array.from(config.services.values()).some(({ type }) => type === "udp");
    if (replies && !mayUse()) this.#journal.record({ type: "udp-replies-limited" });
    if (signal !== undefined) this.#lifecycle.endWith(signal);
  }

  status(): ServerStatus {
    const services = this.#registry.services.map(serviceStatus);
    return {
      state: this.#lifecycle.state,
      address: this.address,
      connections: this.#context.admission.connections,
      pendingHandshakes: this.#context.admission.pending,
      streams: this.#context.streams.size,
      services,
    };
  }

  events(): AsyncIterable<ServerEvent> {
    return this.#journal.stream.subscribe();
  }

  drain(): Promise<void> {
    return this.#lifecycle.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifecycle.end();
  }

  /** Takes a connection as it comes; nothing here waits for its peer. */
  #admit(incoming: Incoming): void {
    const { peer } = incoming;
    const ticket = this.#context.admission.admitClient(peer, (reason) => incoming.abort(reason));
    if (typeof ticket === "string") {
      incoming.abort();
      this.#journal.record({ type: "connection-refused", peer, reason: ticket });
      return;
    }
    this.#context.intake.run(() => greet(incoming, ticket, this.#context, this.#registry));
  }
}
