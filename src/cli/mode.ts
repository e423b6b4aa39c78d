/**
 * Which block of the configuration to run.
 *
 * @module
 */

import type { ClientConfig, Config, ServerConfig } from "../config/types.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Mode } from "./arguments.ts";

/** The side to run, with its block. */
export type Side =
  | { readonly mode: "server"; readonly config: ServerConfig }
  | { readonly mode: "client"; readonly config: ClientConfig };

/** What was asked for; if nothing was, the only block there is. */
export function chooseSide({ server, client }: Config, asked: Mode | undefined): Side {
  if (asked === undefined && server !== undefined && client !== undefined) {
    throw new RatholeError(
      "config",
      "the configuration has a [server] and a [client] block; " +
        "say with --server or --client which one to run",
    );
  }
  if (asked !== "client" && server !== undefined) return { mode: "server", config: server };
  if (asked !== "server" && client !== undefined) return { mode: "client", config: client };
  if (asked === undefined) {
    throw new RatholeError(
      "config",
      "the configuration has neither a [server] nor a [client] block",
    );
  }
  const there = asked === "server" ? "client" : "server";
  throw new RatholeError(
    "config",
    `--${asked} was given, but the configuration has no [${asked}] block; ` +
      `add one, or leave --${asked} out to run its [${there}] block`,
  );
}
