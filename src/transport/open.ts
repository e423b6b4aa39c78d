/**
 * From the configuration to a transport.
 *
 * @module
 */

import type { Side } from "../config/finding.ts";
import { parseProxy, type Proxy } from "../config/proxy.ts";
import type { TransportConfig } from "../config/types.ts";
import { RatholeError } from "../runtime/errors.ts";
import { type Dialer, DirectDialer } from "./dialer.ts";
import { LayeredTransport } from "./layer.ts";
import { TcpTransport } from "./tcp.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/**
 * The transport that a configuration selects, ready to be used: files it names are read, keys are
 * made. What the chosen one does not need is not loaded.
 *
 * @throws {RatholeError} `config` for a file that cannot be used, `permission`.
 */
export async function openTransport(
  side: Side,
  config: TransportConfig,
  options: TransportOptions,
): Promise<Transport> {
  const direct = new DirectDialer(options.prefer ?? "any", options.clock);
  const proxy = side === "client" ? proxyOf(config) : undefined;
  const dialer = proxy === undefined ? direct : await openProxy(proxy, direct);
  const tls = async () => {
    const { openTls } = await import("./tls.ts");
    return await openTls(side, config, dialer, options);
  };
  switch (config.type) {
    case "tcp":
      return new TcpTransport(config.tcp, dialer, options);
    case "tls":
      return await tls();
    case "noise": {
      const { noise } = config;
      if (noise === undefined) throw new RatholeError("config", "no [transport.noise]");
      const { openNoiseLayer } = await import("./noise.ts");
      const below = new TcpTransport(config.tcp, dialer, options);
      return new LayeredTransport(below, await openNoiseLayer(noise, side));
    }
    case "websocket": {
      const { websocket } = config;
      if (websocket === undefined) throw new RatholeError("config", "no [transport.websocket]");
      const below = websocket.tls ? await tls() : new TcpTransport(config.tcp, dialer, options);
      const { WebsocketLayer } = await import("./websocket.ts");
      return new LayeredTransport(below, new WebsocketLayer(websocket, options));
    }
  }
}

/** The proxy that a client's configuration names. */
export function proxyOf(config: TransportConfig): Proxy | undefined {
  if (config.tcp.proxy === undefined) return undefined;
  const proxy = parseProxy(config.tcp.proxy.reveal());
  // The rules have refused such a configuration before.
  if (typeof proxy === "string") throw new RatholeError("config", `transport.tcp.proxy ${proxy}`);
  return proxy;
}

async function openProxy(proxy: Proxy, direct: Dialer): Promise<Dialer> {
  const { ProxyDialer } = await import("./proxy/dialer.ts");
  return new ProxyDialer(proxy, direct);
}
