/**
 * Protocols that run over any connection, and the transports that they make of others.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import type { Address } from "../runtime/address.ts";
import type { ConnectOptions, Incoming, Listener, Transport } from "./transport.ts";

/**
 * A protocol over any connection, which it takes over: what it returns owns the connection, and
 * ends it when it is ended itself. Whoever gives up on a handshake aborts the connection below;
 * a handshake that fails leaves that to its caller.
 */
export interface Layer {
  /** The handshake of the end that connected, to the server at `to`. @throws {RatholeError} */
  initiate(connection: Connection, to: Address): Promise<Connection>;
  /** The handshake of the end that accepted. @throws {RatholeError} */
  respond(connection: Connection): Promise<Connection>;
}

/** A transport whose connections have a layer over those of another. */
export class LayeredTransport implements Transport {
  readonly #below: Transport;
  readonly #layer: Layer;

  /** Puts the layer over the transport below. */
  constructor(below: Transport, layer: Layer) {
    this.#below = below;
    this.#layer = layer;
  }

  /** See {@linkcode Transport.connect}. */
  async connect(to: Address, options: ConnectOptions): Promise<Connection> {
    const connection = await this.#below.connect(to, options);
    const { signal } = options;
    const abort = () => connection.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      const layered = await this.#layer.initiate(connection, to);
      signal.throwIfAborted();
      return layered;
    } catch (error) {
      connection.abort(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** See {@linkcode Transport.bind}. */
  bind(at: Address): Listener {
    const listener = this.#below.bind(at);
    return {
      address: listener.address,
      accept: async () => this.#over(await listener.accept()),
      close: () => listener.close(),
      [Symbol.dispose]: () => listener.close(),
    };
  }

  #over(incoming: Incoming): Incoming {
    const handshake = async () => await this.#layer.respond(await incoming.handshake());
    return { peer: incoming.peer, handshake, abort: (reason) => incoming.abort(reason) };
  }
}
