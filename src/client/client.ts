/**
 * The hidden end of the tunnel.
 *
 * @module
 */

import type { ClientOptions } from "../config/options.ts";
import type { ClientConfig } from "../config/types.ts";
import { validateClientConfig } from "../config/validate.ts";
import { BufferStore } from "../net/buffers.ts";
import { localEndFor } from "../net/datagrams.ts";
import { requireAddresses, requireResolving } from "../net/permission.ts";
import { type Address, configuredAddress, parseIp } from "../runtime/address.ts";
import { SystemClock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Lifecycle, type StartOptions, throwIfAborted } from "../runtime/lifecycle.ts";
import { openTransport, proxyOf } from "../transport/open.ts";
import { recordIn } from "../transport/journal.ts";
import type { Transport } from "../transport/transport.ts";
import type { ClientContext } from "./context.ts";
import type { ClientEvent } from "./events.ts";
import { type ClientJournal, openClientJournal } from "./journal.ts";
import { Service } from "./service.ts";
import { type ClientStatus, serviceStatus } from "./status.ts";

/** A running client. Leaving it (`await using`) ends it at once, open streams included. */
export interface Client extends AsyncDisposable {
  /**
   * Resolves when the client has ended; rejects with a `RatholeError` of code `exhausted` when it
   * ended because all its services have given up.
   */
  readonly closed: Promise<void>;
  /** The client at this moment. */
  status(): ClientStatus;
  /** What happens from now on. A reader that falls 1024 events behind loses the oldest. */
  events(): AsyncIterable<ClientEvent>;
  /**
   * Takes nothing new, lets open streams finish for `drain_timeout` at most, then ends the client.
   * Called again while it drains, it ends the client at once.
   */
  drain(): Promise<void>;
}

/**
 * Starts a client, which from then on tries to reach the server. It prints nothing: what happens is
 * told to those who configure LogTape (category `rathole`) or read its events.
 *
 * @throws {RatholeError} `config` for an invalid configuration or a file that it names and that
 * cannot be used, `permission` when the sandbox does not allow what it needs.
 */
export async function startClient(
  config: ClientOptions | ClientConfig,
  options: StartOptions = {},
): Promise<Client> {
  throwIfAborted(options.signal);
  const complete = validateClientConfig(config);
  const server = configuredAddress(complete.remote_addr);
  // Behind a proxy, the server's address is for the proxy to look up and to connect to.
  const contacted = proxyOf(complete.transport) ?? server;
  requireAddresses("using", [contacted, ...forwardingAddresses(complete)]);
  requireResolving(lookedUpHosts(complete, contacted));
  const buffers = new BufferStore();
  const prefer = complete.prefer_ipv6 ? "ipv6" : "any";
  const clock = new SystemClock();
  const journal = openClientJournal(() => clock.now());
  const transport = await openTransport("client", complete.transport, {
    buffers,
    clock,
    prefer,
    events: recordIn(journal),
  });
  throwIfAborted(options.signal);
  const client = new RunningClient(complete, server, transport, { buffers, clock, journal });
  client.run(options.signal);
  return client;
}

/** Host names that this program looks up by itself; the others are left to `Deno.connect`. */
function lookedUpHosts(config: ClientConfig, contacted: Address): string[] {
  const udp = Array.from(config.services.values()).filter(({ type }) => type === "udp");
  const hosts = udp.map(({ local_addr }) => configuredAddress(local_addr).hostname);
  return config.prefer_ipv6 ? [contacted.hostname, ...hosts] : hosts;
}

/** What forwarding will use: the services, and for UDP ones sockets of its own. */
function forwardingAddresses(config: ClientConfig): Address[] {
  return Array.from(config.services.values()).flatMap(({ local_addr, type }) => {
    const local = configuredAddress(local_addr);
    // From where a name is best reached, only its address will tell.
    const named = parseIp(local.hostname) === null;
    return type === "tcp" || named ? [local] : [local, localEndFor(local)];
  });
}

class RunningClient implements Client {
  readonly closed: Promise<void>;
  readonly #journal: ClientJournal;
  readonly #lifecycle: Lifecycle;
  readonly #context: ClientContext;
  readonly #services: readonly Service[];
  readonly #ended = Promise.withResolvers<void>();
  #exhausted: RatholeError | undefined;

  constructor(
    config: ClientConfig,
    server: Address,
    transport: Transport,
    { buffers, clock, journal }: Pick<ClientContext, "buffers" | "clock" | "journal">,
  ) {
    this.#journal = journal;
    this.closed = this.#ended.promise;
    // Whoever embeds a client may not care; then this must not end the process.
    this.closed.catch(() => {});
    this.#lifecycle = new Lifecycle({
      what: "client",
      clock,
      drainTimeout: config.drain_timeout * 1000,
      draining: (streams) => this.#journal.record({ type: "draining", streams }),
      stopped: () => this.#stopped(),
      fault: (reason) => this.#journal.record({ type: "fault", reason }),
    });
    this.#context = {
      config,
      buffers,
      server,
      transport,
      clock,
      journal: this.#journal,
      intake: this.#lifecycle.intake,
      streams: this.#lifecycle.streams,
    };
    this.#services = Array.from(
      config.services,
      ([name, service]) => new Service(name, service, this.#context),
    );
  }

  run(signal: AbortSignal | undefined): void {
    const { intake } = this.#context;
    for (const service of this.#services) {
      intake.run(async (signal) => {
        try {
          await service.offer(signal);
        } finally {
          if (!signal.aborted) this.#giveUpWhenAllHave();
        }
      });
    }
    if (signal !== undefined) this.#lifecycle.endWith(signal);
  }

  status(): ClientStatus {
    return {
      state: this.#lifecycle.state,
      server: this.#context.server,
      streams: this.#context.streams.size,
      services: this.#services.map(serviceStatus),
    };
  }

  events(): AsyncIterable<ClientEvent> {
    return this.#journal.stream.subscribe();
  }

  drain(): Promise<void> {
    return this.#lifecycle.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lifecycle.end();
  }

  #stopped(): void {
    this.#journal.record({ type: "stopped" });
    this.#journal.stream.end();
    if (this.#exhausted === undefined) this.#ended.resolve();
    else this.#ended.reject(this.#exhausted);
  }

  /** Ends the client when nothing is left to try; streams that are open may finish. */
  #giveUpWhenAllHave(): void {
    if (this.#services.some((service) => service.state !== "gave-up")) return;
    const reasons = this.#services.map(({ name, lastError }) => `${name}: ${lastError}`);
    const message = `all services have given up (${reasons.join("; ")})`;
    this.#exhausted = new RatholeError("exhausted", message);
    // Cannot fail, and `closed` tells when it is done.
    void this.drain();
  }
}
