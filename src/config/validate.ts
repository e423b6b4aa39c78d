/**
 * Configuration that programs pass as values instead of a file.
 *
 * @module
 */

import { checkClient, type Checked, checkServer } from "./check.ts";
import { type Side, toProblems } from "./finding.ts";
import type { ClientOptions, ServerOptions } from "./options.ts";
import { ConfigError } from "./problem.ts";
import type { ClientConfig, ServerConfig } from "./types.ts";

/**
 * Checks what a server is started with and fills in the defaults. A complete configuration comes
 * back as it is.
 *
 * @throws {ConfigError} naming every error at once.
 */
export function validateServerConfig(options: ServerOptions): ServerConfig {
  return resultOf(checkServer(options), "server", options);
}

/**
 * Checks what a client is started with and fills in the defaults. A complete configuration comes
 * back as it is.
 *
 * @throws {ConfigError} naming every error at once.
 */
export function validateClientConfig(options: ClientOptions): ClientConfig {
  return resultOf(checkClient(options), "client", options);
}

function resultOf<Result>(checked: Checked<Result>, side: Side, options: unknown): Result {
  if (checked.result !== undefined) return checked.result;
  throw new ConfigError(toProblems(checked.findings, { [side]: options }));
}
