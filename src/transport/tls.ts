/**
 * The tunnel over TLS (`type = "tls"`, and below `websocket` with `websocket.tls`). Which engine
 * does what, and why, is told in ADR 7.
 *
 * @module
 */

import type { Server as TlsServer } from "node:tls";
import type { TlsConfig, TransportConfig } from "../config/types.ts";
import type { Connection } from "../net/connection.ts";
import { type SocketOptions, TcpListener } from "../net/tcp.ts";
import { type Address, asciiHost } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Dialer } from "./dialer.ts";
import { type ClientTrust, TlsStarter } from "./tls_client.ts";
import { LiveFiles } from "./tls_files.ts";
import { LifetimeWatch } from "./tls_lifetime.ts";
import {
  buildServer,
  clientFiles,
  readCertificates,
  readIdentity,
  serverFiles,
} from "./tls_identity.ts";
import { TlsListener } from "./tls_server.ts";
import type { ConnectOptions, Listener, Transport, TransportOptions } from "./transport.ts";

/** Milliseconds within which a client does not look at its files again. */
const LOOK_AGAIN = 1_000;

/**
 * Reads the files that the configuration names and checks them.
 *
 * @throws {RatholeError} `config` for a file that cannot be used, `permission` for one that the
 * sandbox does not let us read.
 */
export async function openTls(
  side: "server" | "client",
  config: TransportConfig,
  dialer: Dialer,
  options: TransportOptions,
): Promise<Transport> {
  const tls = config.tls ?? {};
  const { events } = options;
  const lifetime = new LifetimeWatch(tls, events, options.clock);
  const socket = {
    nodelay: config.tcp.nodelay,
    keepalive: config.tcp.keepalive_secs > 0,
    buffers: options.buffers,
  };
  if (side === "server") {
    const files = await LiveFiles.open(
      serverFiles(tls),
      (contents) => buildServer(tls, contents),
      events,
      lifetime,
    );
    return new TlsServerTransport(files, socket, options.clock);
  }
  const build = (contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): ClientTrust => ({
    roots: tls.trusted_root === undefined ? [] : readCertificates(contents, tls.trusted_root),
    identity: tls.certificate === undefined && tls.private_key === undefined
      ? undefined
      : readIdentity(tls, contents),
  });
  const files = await LiveFiles.open(clientFiles(tls), build, events, lifetime);
  return new TlsClientTransport(files, { tls, socket, dialer, clock: options.clock });
}

class TlsServerTransport implements Transport {
  readonly #files: LiveFiles<TlsServer>;
  readonly #socket: SocketOptions;
  readonly #clock: Clock;

  constructor(files: LiveFiles<TlsServer>, socket: SocketOptions, clock: Clock) {
    this.#files = files;
    this.#socket = socket;
    this.#clock = clock;
  }

  // deno-lint-ignore require-await
  async connect(): Promise<Connection> {
    throw new RatholeError("unsupported", "this transport was opened for a server");
  }

  bind(at: Address): Listener {
    const tcp = new TcpListener(at, this.#socket);
    const { buffers } = this.#socket;
    return new TlsListener({ tcp, files: this.#files, buffers, clock: this.#clock });
  }
}

/** What a client's transport works with. */
interface ClientParts {
  readonly tls: TlsConfig;
  readonly socket: SocketOptions;
  readonly dialer: Dialer;
  readonly clock: Clock;
}

class TlsClientTransport implements Transport {
  readonly #files: LiveFiles<ClientTrust>;
  readonly #parts: ClientParts;
  readonly #starter: TlsStarter;
  #looked: number;

  constructor(files: LiveFiles<ClientTrust>, parts: ClientParts) {
    this.#files = files;
    this.#parts = parts;
    this.#starter = new TlsStarter(() => parts.clock.now());
    this.#looked = parts.clock.now();
  }

  async connect(to: Address, options: ConnectOptions): Promise<Connection> {
    const { dialer, socket, tls } = this.#parts;
    await this.#look();
    return await this.#starter.start(() => dialer.dial(to, options), {
      to,
      name: nameOf(tls.hostname ?? to.hostname),
      trust: this.#files.current,
      socket: { ...socket, nodelay: options.nodelay ?? socket.nodelay },
      signal: options.signal,
    });
  }

  bind(): Listener {
    throw new RatholeError("unsupported", "this transport was opened for a client");
  }

  /** New connections use what the files hold now, or held a second ago. */
  async #look(): Promise<void> {
    const now = this.#parts.clock.now();
    if (now - this.#looked < LOOK_AGAIN) return;
    this.#looked = now;
    await this.#files.check();
  }
}

/** A host as certificates name it: without the zone of an IPv6 address, in ASCII. */
function nameOf(hostname: string): string {
  const host = hostname.includes(":") ? hostname.replace(/%.*/, "") : asciiHost(hostname);
  return host ?? hostname;
}
