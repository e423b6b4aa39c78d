/**
 * Reaching the server through a proxy.
 *
 * @module
 */

import type { Proxy } from "../../config/proxy.ts";
import { type Address, asciiHost, formatAddress, parseIp } from "../../runtime/address.ts";
import { RatholeError } from "../../runtime/errors.ts";
import type { Dialer, DialOptions } from "../dialer.ts";
import { Exchange, type Handshake } from "./exchange.ts";
import { httpConnect } from "./http_connect.ts";
import { socks5 } from "./socks5.ts";

/**
 * Dials a proxy and has it connect to the address, whose name only the proxy looks up. A server
 * never speaks first, so that the tunnel's first byte is the client's.
 */
export class ProxyDialer implements Dialer {
  readonly #proxy: Address;
  readonly #direct: Dialer;
  readonly #handshake: Handshake;

  /**
   * `direct` dials the proxy.
   *
   * @throws {RatholeError} `config` for user and password that its protocol cannot carry.
   */
  constructor(proxy: Proxy, direct: Dialer) {
    this.#proxy = { hostname: proxy.hostname, port: proxy.port };
    this.#direct = direct;
    const { username, password = "" } = proxy;
    const credentials = username === undefined ? undefined : { username, password };
    this.#handshake = proxy.scheme === "http" ? httpConnect(credentials) : socks5(credentials);
  }

  /** See {@linkcode Dialer.dial}; `at` is where the proxy was reached before. */
  async dial(to: Address, options: DialOptions): Promise<Deno.TcpConn> {
    const target = { hostname: carriedHost(to), port: to.port };
    const socket = await this.#reach(options);
    const { signal } = options;
    const exchange = new Exchange(socket, this.#proxy);
    let closed = false;
    const close = () => {
      if (!closed) socket.close();
      closed = true;
    };
    signal.addEventListener("abort", close);
    try {
      // It may have come between the two awaits, when nobody listened.
      signal.throwIfAborted();
      await this.#handshake(exchange, target);
      signal.throwIfAborted();
      return socket;
    } catch (error) {
      close();
      throw signal.aborted ? inStep(signal.reason, exchange.waiting) : error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  async #reach(options: DialOptions): Promise<Deno.TcpConn> {
    try {
      return await this.#direct.dial(this.#proxy, options);
    } catch (error) {
      if (options.signal.aborted) {
        const where = formatAddress(this.#proxy);
        throw inStep(options.signal.reason, `the proxy ${where} could not be reached`);
      }
      if (!(error instanceof RatholeError)) throw error;
      const message = `cannot reach the proxy: ${error.message}`;
      throw new RatholeError(error.code, message, { cause: error });
    }
  }
}

/** When the time is up, what it was spent on is worth knowing. */
function inStep(reason: unknown, step: string): unknown {
  if (!(reason instanceof RatholeError) || reason.code !== "timeout") return reason;
  return new RatholeError("timeout", `${reason.message}: ${step}`, { cause: reason });
}

/** A host as proxies are told of it: an IP address, or a name in ASCII. */
function carriedHost({ hostname }: Address): string {
  if (parseIp(hostname) !== null) return hostname;
  const problem = (what: string) =>
    new RatholeError("config", `client.remote_addr: the host "${hostname}" ${what}`);
  if (hostname.includes(":")) {
    throw problem("has an IPv6 zone, which means nothing to a proxy; leave it out");
  }
  const name = asciiHost(hostname);
  if (name === null) throw problem("is not a name that a proxy can look up");
  if (name.length > 255) throw problem("is longer than the 255 bytes that a host name may have");
  return name;
}
