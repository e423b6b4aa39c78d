/**
 * The tunnel over plain TCP (`type = "tcp"`).
 *
 * @module
 */

import type { TcpConfig } from "../config/types.ts";
import { preferring } from "../net/prefer.ts";
import { type Family, resolveHost } from "../net/resolve.ts";
import { dialTcp, type SocketOptions, type TcpConnection, TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import type { Clock } from "../runtime/clock.ts";
import type {
  ConnectOptions,
  Incoming,
  Listener,
  Transport,
  TransportOptions,
} from "./transport.ts";

/** Plain TCP: connecting and accepting are all of the handshake. */
export class TcpTransport implements Transport {
  readonly #socket: SocketOptions;
  readonly #prefer: Family;
  readonly #clock: Clock;

  /** Takes the settings of `transport.tcp`. */
  constructor(config: TcpConfig, options: TransportOptions) {
    this.#prefer = options.prefer ?? "any";
    this.#clock = options.clock;
    this.#socket = {
      nodelay: config.nodelay,
      keepalive: config.keepalive_secs > 0,
      buffers: options.buffers,
    };
  }

  /** See {@linkcode Transport.connect}. */
  async connect(to: Address, options: ConnectOptions): Promise<TcpConnection> {
    const socket = { ...this.#socket, nodelay: options.nodelay ?? this.#socket.nodelay };
    const { at, signal } = options;
    const dial = (where: Address) => (signal: AbortSignal) => dialTcp(where, socket, signal);
    if (at !== undefined) return await dial(at)(signal);
    if (this.#prefer === "any") return await dial(to)(signal);
    const first = await resolveHost(to, signal, this.#prefer);
    if (first.hostname === to.hostname) return await dial(to)(signal);
    return await preferring(dial(first), dial(to), this.#clock, signal);
  }

  /** See {@linkcode Transport.bind}. */
  bind(at: Address): Listener {
    const listener = new TcpListener(at, this.#socket);
    return {
      address: listener.address,
      accept: async () => ready(await listener.accept()),
      close: () => listener.close(),
      [Symbol.dispose]: () => listener.close(),
    };
  }
}

function ready(connection: TcpConnection): Incoming {
  return {
    peer: connection.peer,
    handshake: () => Promise.resolve(connection),
    abort: (reason) => connection.abort(reason),
  };
}
