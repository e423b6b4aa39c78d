/**
 * The tunnel over plain TCP (`type = "tcp"`).
 *
 * @module
 */

import type { TcpConfig } from "../config/types.ts";
import { prepareSocket, type SocketOptions, TcpConnection, TcpListener } from "../net/tcp.ts";
import type { Address } from "../runtime/address.ts";
import type {
  ConnectOptions,
  Incoming,
  Listener,
  Transport,
  TransportOptions,
} from "./transport.ts";
import type { Dialer } from "./dialer.ts";

/** Plain TCP: connecting and accepting are all of the handshake. */
export class TcpTransport implements Transport {
  readonly #socket: SocketOptions;
  readonly #dialer: Dialer;

  /** Takes the settings of `transport.tcp`, and how to reach the server. */
  constructor(config: TcpConfig, dialer: Dialer, options: TransportOptions) {
    this.#dialer = dialer;
    this.#socket = {
      nodelay: config.nodelay,
      keepalive: config.keepalive_secs > 0,
      buffers: options.buffers,
    };
  }

  /** See {@linkcode Transport.connect}. */
  async connect(to: Address, options: ConnectOptions): Promise<TcpConnection> {
    const socket = { ...this.#socket, nodelay: options.nodelay ?? this.#socket.nodelay };
    const dialled = await this.#dialer.dial(to, options);
    prepareSocket(dialled, socket);
    return new TcpConnection(dialled, socket);
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
