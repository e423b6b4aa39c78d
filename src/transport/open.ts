/**
 * From the configuration to a transport.
 *
 * @module
 */

import type { TransportConfig } from "../config/types.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/**
 * The transport that a configuration selects.
 *
 * @throws {RatholeError} `unsupported` for one that this version cannot run yet.
 */
export async function openTransport(
  config: TransportConfig,
  options: TransportOptions,
): Promise<Transport> {
  if (config.type !== "tcp") {
    throw new RatholeError(
      "unsupported",
      `transport.type = "${config.type}" is not there yet: this version runs "tcp" only. ` +
        'The file is valid; use transport.type = "tcp" at both ends until then',
    );
  }
  if (config.tcp.proxy !== undefined) {
    throw new RatholeError(
      "unsupported",
      "transport.tcp.proxy is not there yet: this version connects to the server directly only",
    );
  }
  // Loaded when it is chosen, so that nobody pays for the others.
  const { TcpTransport } = await import("./tcp.ts");
  return new TcpTransport(config.tcp, options);
}
