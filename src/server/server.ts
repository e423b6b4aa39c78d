/**
 * The public end of the tunnel.
 *
 * @module
 */

import type { ServerOptions } from "../config/options.ts";
import type { ServerConfig, TransportConfig } from "../config/types.ts";
import { validateServerConfig } from "../config/validate.ts";
import { BufferStore } from "../net/buffers.ts";
import { mayUse, requireAddresses } from "../net/permission.ts";
import { type Address, configuredAddress } from "../runtime/address.ts";
import { SystemClock } from "../runtime/clock.ts";
import { Lifecycle, type StartOptions, throwIfAborted } from "../runtime/lifecycle.ts";
import type { Scope } from "../runtime/scope.ts";
import { recordIn } from "../transport/journal.ts";
import { openTransport } from "../transport/open.ts";
import type { Incoming, Transport } from "../transport/transport.ts";
import { Admission } from "./admission.ts";
import type { ServerContext } from "./context.ts";
import { Entrance } from "./entrance.ts";
import type { ServerEvent } from "./events.ts";
import { greet } from "./greet.ts";
import { openServerJournal } from "./journal.ts";
import { Registry } from "./registry.ts";
import { Growth } from "./reserve.ts";
import { Service } from "./service.ts";
import { type ServerStatus, serviceStatus } from "./status.ts";
import { prepareUpdate } from "./update.ts";

/** Data channels that demand may add to the reserves of all services together. */
const MOST_GROWTH = 128;

/** A running server. Leaving it (`await using`) ends it at once, open streams included. */
export interface Server extends AsyncDisposable {
  /** Where clients connect at this moment; a port of 0 has become a real one. */
  readonly address: Address;
  /** Resolves when the server has ended, whoever ended it. Never rejects. */
  readonly closed: Promise<void>;
  /** The server at this moment. */
  status(): ServerStatus;
  /** What happens from now on. A reader that falls 1024 events behind loses the oldest. */
  events(): AsyncIterable<ServerEvent>;
  /**
   * Goes over to a changed configuration, each change at the cost of what it touches: a service that
   * did not change notices nothing, and open streams survive every update. A new address or
   * transport is listened at before the old one is closed. Updates come into force one after the
   * other.
   *
   * @throws {RatholeError} what {@linkcode startServer} throws, or `aborted` when the server drains
   * or has ended; everything is as before then.
   */
  update(config: ServerOptions | ServerConfig): Promise<void>;
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
  const parts = openParts();
  const transport = await parts.openTransport(complete.transport);
  requireAddresses("listening on", listenedAt(complete));
  const entrance = new Entrance(transport, configuredAddress(complete.bind_addr));
  const server = new RunningServer(complete, entrance, parts);
  try {
    await server.run(options.signal);
    throwIfAborted(options.signal);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a server is made of, whatever its configuration. */
interface Parts extends Pick<ServerContext, "buffers" | "clock" | "journal"> {
  openTransport(config: TransportConfig): Promise<Transport>;
}

function openParts(): Parts {
  const buffers = new BufferStore();
  const clock = new SystemClock();
  const journal = openServerJournal(() => clock.now());
  const options = { buffers, clock, events: recordIn(journal) };
  const open = (config: TransportConfig) => openTransport("server", config, options);
  return { buffers, clock, journal, openTransport: open };
}

function listenedAt({ bind_addr, services }: ServerConfig): Address[] {
  return [bind_addr, ...Array.from(services.values(), (it) => it.bind_addr)].map(configuredAddress);
}

class RunningServer implements Server {
  readonly closed: Promise<void>;
  readonly #parts: Parts;
  readonly #lifecycle: Lifecycle;
  readonly #context: ServerContext;
  readonly #entrance: Entrance;
  readonly #registry = new Registry();
  readonly #ended = Promise.withResolvers<void>();
  #config: ServerConfig;

  constructor(config: ServerConfig, entrance: Entrance, parts: Parts) {
    const { buffers, clock, journal } = parts;
    this.#config = config;
    this.#entrance = entrance;
    this.#parts = parts;
    this.closed = this.#ended.promise;
    this.#lifecycle = new Lifecycle({
      what: "server",
      clock,
      drainTimeout: () => this.#config.drain_timeout * 1000,
      draining: (streams) => journal.record({ type: "draining", streams }),
      stopped: () => {
        journal.record({ type: "stopped" });
        journal.stream.end();
        this.#ended.resolve();
      },
      fault: (reason) => journal.record({ type: "fault", reason }),
    });
    const current = () => this.#config;
    const { intake, streams } = this.#lifecycle;
    const admission = new Admission(current, this.#registry, clock);
    this.#context = {
      get config() {
        return current();
      },
      buffers,
      clock,
      journal,
      admission,
      growth: new Growth(MOST_GROWTH),
      intake,
      streams,
      carriers: streams.child(),
    };
  }

  get address(): Address {
    return this.#entrance.address;
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    const { intake } = this.#context;
    const { journal } = this.#parts;
    intake.onAbort(() => this.#entrance.close());
    const services = Array.from(
      this.#config.services,
      ([name, service]) => new Service(name, service, this.#context),
    );
    (await this.#registry.arrange(services))();
    this.#entrance.run(this.#context, (incoming, scope) => this.#admit(incoming, scope));
    journal.record({ type: "listening", address: this.address });
    this.#tellOfUdp();
    if (signal !== undefined) this.#lifecycle.endWith(signal);
  }

  update(config: ServerOptions | ServerConfig): Promise<void> {
    return this.#lifecycle.update(() => this.#update(config));
  }

  async #update(config: ServerOptions | ServerConfig): Promise<void> {
    this.#lifecycle.requireRunning();
    const complete = validateServerConfig(config);
    requireAddresses("listening on", listenedAt(complete));
    const { journal, openTransport } = this.#parts;
    const prepared = await prepareUpdate(complete, {
      entrance: this.#entrance,
      registry: this.#registry,
      context: this.#context,
      openTransport,
    });
    try {
      this.#lifecycle.requireRunning();
    } catch (error) {
      prepared.discard();
      throw error;
    }
    this.#config = complete;
    // What was refused may be right by now.
    this.#context.admission.penalties.forgive();
    prepared.commit();
    this.#registry.welcomeCarriers();
    if (prepared.changes.length === 0) return;
    journal.record({ type: "configuration-updated", changes: prepared.changes });
    this.#tellOfUdp();
  }

  #tellOfUdp(): void {
    const replies = Array.from(this.#config.services.values()).some(({ type }) => type === "udp");
    if (replies && !mayUse()) this.#parts.journal.record({ type: "udp-replies-limited" });
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
    return this.#parts.journal.stream.subscribe();
  }

  drain(): Promise<void> {
    return this.#lifecycle.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifecycle.end();
  }

  /** Takes a connection as it comes; nothing here waits for its peer. */
  #admit(incoming: Incoming, scope: Scope): void {
    const { peer } = incoming;
    const ticket = this.#context.admission.admitClient(peer, (reason) => incoming.abort(reason));
    if (typeof ticket === "string") {
      incoming.abort();
      this.#parts.journal.record({ type: "connection-refused", peer, reason: ticket });
      return;
    }
    scope.run(() => greet(incoming, ticket, scope, this.#context, this.#registry));
  }
}
