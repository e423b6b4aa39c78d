/**
 * rathole for Deno: a reverse tunnel that exposes services behind NAT through a server of your own,
 * compatible with rathole 0.5.0 at either end.
 *
 * As a library, start either side from a configuration object or from a file's text:
 *
 * ```ts
 * import { startServer } from "@x/rathole";
 *
 * await using server = await startServer({
 *   bind_addr: "127.0.0.1:0",
 *   default_token: "a secret of your own",
 *   services: { web: { bind_addr: "127.0.0.1:0" } },
 * });
 * server.address; // where clients connect
 * ```
 *
 * Embedding prints nothing and never ends the process. Run as a program this module is the
 * command line: `deno run -A mod.ts CONFIG`, see `--help`.
 *
 * @module
 */

export { parseConfig } from "./src/config/parse.ts";
export type { ParsedConfig, ParseOptions } from "./src/config/parse.ts";
export type { Position as ConfigPosition } from "./src/config/toml.ts";
export { validateClientConfig, validateServerConfig } from "./src/config/validate.ts";
export { ConfigError } from "./src/config/problem.ts";
export type {
  Path as ConfigKeyPath,
  Problem as ConfigProblem,
  Severity as ConfigProblemSeverity,
} from "./src/config/problem.ts";
export type {
  ClientConfig,
  ClientServiceConfig,
  Config,
  NoiseConfig,
  ServerConfig,
  ServerServiceConfig,
  ServiceType,
  TcpConfig,
  TlsConfig,
  TransportConfig,
  TransportType,
  WebsocketConfig,
} from "./src/config/types.ts";
export type {
  ClientOptions,
  ClientServiceOptions,
  DurationOption,
  NoiseOptions,
  SecretOption,
  ServerOptions,
  ServerServiceOptions,
  ServicesOption,
  TcpOptions,
  TlsOptions,
  TransportOptions,
  WebsocketOptions,
} from "./src/config/options.ts";

export { startServer } from "./src/server/server.ts";
export type { Server } from "./src/server/server.ts";
export type { CarrierStatus } from "./src/carrier/counters.ts";
export type { ServerServiceStatus, ServerStatus } from "./src/server/status.ts";
export type { ServerEvent } from "./src/server/events.ts";

export { startClient } from "./src/client/client.ts";
export type { Client } from "./src/client/client.ts";
export type { ClientServiceStatus, ClientStatus } from "./src/client/status.ts";
export type { ServiceState as ClientServiceState } from "./src/client/offer.ts";
export type { ClientEvent } from "./src/client/events.ts";

export type { LifecycleState, StartOptions } from "./src/runtime/lifecycle.ts";
export { RatholeError } from "./src/runtime/errors.ts";
export type { ErrorCode } from "./src/runtime/errors.ts";
export { Secret } from "./src/runtime/secret.ts";
export type { Address } from "./src/runtime/address.ts";

// Only as a program, so that who embeds the library does not load the command line.
if (import.meta.main) await import("./src/cli/program.ts");
