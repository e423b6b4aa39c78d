/**
 * The tunnel over plain TCP (`type = "tcp"`).
 *
 * @module
 */

import type { TcpConfig } from "../config/types.ts";
import { type Family, resolveHost } from "../net/resolve.ts";
import { dialTcp, type SocketOptions, type TcpConnection, TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
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

  /** Takes the settings of `transport.tcp`. */
  constructor(config: TcpConfig, options: TransportOptions) {
    this.#prefer = options.prefer ?? "any";
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
    if (at !== undefined) return await dialTcp(at, socket, signal);
    if (this.#prefer === "ipv6") {
      const first = await resolveHost(to, signal, this.#prefer);
      try {
        return await dialTcp(first, socket, signal);
      } catch (error) {
        // The family that was preferred may be the one that does not work.
        if (signal.aborted || first.hostname === to.hostname) throw error;
      }
    }
    return await dialTcp(to, socket, signal);
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
