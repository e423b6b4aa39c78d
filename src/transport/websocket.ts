/**
 * The tunnel over WebSocket (`type = "websocket"`): a layer over TCP, or over TLS.
 *
 * @module
 */

import type { WebsocketConfig } from "../config/types.ts";
import type { Connection } from "../net/connection.ts";
import { type Address, formatAddress } from "../runtime/address.ts";
import { RatholeError } from "../runtime/errors.ts";
import { type Network, parseNetwork } from "../runtime/network.ts";
import { forwardedPeer } from "../websocket/forwarded.ts";
import { MaskKeys } from "../websocket/mask.ts";
import type { Layer } from "./layer.ts";
import type { TransportOptions } from "./transport.ts";
import { WebsocketConnection } from "./websocket_connection.ts";
import { grantUpgrade, requestUpgrade } from "./websocket_handshake.ts";

/**
 * Milliseconds of silence from a peer that is not ours after which it is told that this direction
 * has ended, and then ends the other one as well. A server's visitor has ended and may wait for a
 * reply; a client's service has ended, and hardly ever wants to hear more: see ADR 6.
 */
const HOLD = { server: 5_000, client: 200 } as const;
/** WebSocket over any connection. */
export class WebsocketLayer implements Layer {
  readonly #config: WebsocketConfig;
  readonly #options: Pick<TransportOptions, "buffers" | "clock">;
  readonly #keys = new MaskKeys();
  readonly #trusted: readonly Network[];

  /** Takes a configuration that was checked: what goes into a request goes there as it is. */
  constructor(config: WebsocketConfig, options: Pick<TransportOptions, "buffers" | "clock">) {
    this.#config = config;
    this.#options = options;
    this.#trusted = (config.trusted_proxies ?? []).map(trustedNetwork);
  }

  /** See {@linkcode Layer.initiate}. */
  async initiate(below: Connection, to: Address): Promise<Connection> {
    const { path = "/", host = this.#hostOf(to), headers = new Map() } = this.#config;
    const { halfClose, rest } = await requestUpgrade(below, {
      path,
      host,
      headers: Array.from(headers, ([name, value]) => [name, value.reveal()] as const),
    });
    const { peer } = below;
    const keys = this.#keys;
    const hold = HOLD.client;
    return new WebsocketConnection({ ...this.#options, below, rest, peer, keys, halfClose, hold });
  }

  /** See {@linkcode Layer.respond}. */
  async respond(below: Connection): Promise<Connection> {
    const { halfClose, head, rest } = await grantUpgrade(below, this.#config.path);
    const forwarded = head.fields.get("x-forwarded-for") ?? [];
    const peer = forwardedPeer(below.peer, forwarded, this.#trusted);
    const hold = HOLD.server;
    const keys = null;
    return new WebsocketConnection({ ...this.#options, below, rest, peer, keys, halfClose, hold });
  }

  /** The Host field for an address: without the port that the scheme has anyway. */
  #hostOf({ hostname, port }: Address): string {
    const host = hostname.replace(/%.*/, "");
    if (port !== (this.#config.tls ? 443 : 80)) return formatAddress({ hostname: host, port });
    return host.includes(":") ? `[${host}]` : host;
  }
}

function trustedNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network !== null) return network;
  throw new RatholeError("config", `transport.websocket.trusted_proxies: "${text}" is no network`);
}
