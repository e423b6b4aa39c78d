/**
 * What became of a changed configuration file, as log lines (target `rathole::config`). Those of a
 * configuration that was applied are the server's or the client's: they know what has changed.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { ConfigError, formatProblem, type Problem } from "../config/problem.ts";
import { explain } from "../runtime/errors.ts";
import { inSeconds } from "../runtime/log_line.ts";
import type { SupervisorReport } from "../supervisor.ts";
import { Unreadable } from "./config_source.ts";
import { summary } from "./report.ts";

const logger = getLogger(["rathole", "config"]);

const REFUSED = "Configuration refused, the one from before stays in use";
const UNREADABLE = "Configuration file cannot be read, what it said stays in use";

/** Logs what deserves a look though it can be used. */
export function logWarnings(warnings: readonly Problem[]): void {
  for (const warning of warnings) logProblem(warning);
}

/** Tells the log; `applied` is called besides. */
export function reloadLog<C>(applied: (config: C) => void): SupervisorReport<C> {
  return {
    applied,
    unchanged({ asked, again }) {
      if (again) logger.info("Configuration can be used again, nothing has changed");
      else if (asked) logger.info("Configuration read again, nothing has changed");
      else logger.debug("Configuration file changed, what it says did not");
    },
    refused(error, { retryIn, known }) {
      if (error instanceof ConfigError) {
        for (const problem of error.problems) logProblem(problem);
        return logger.error(REFUSED, { reason: summary(error) });
      }
      if (error instanceof Unreadable) return logger.warn(UNREADABLE, { reason: explain(error) });
      const fields = {
        reason: explain(error),
        ...(retryIn === undefined ? {} : { retry_in: inSeconds(retryIn) }),
      };
      if (known) logger.debug(REFUSED, fields);
      else logger.error(REFUSED, fields);
    },
  };
}

function logProblem(problem: Problem): void {
  // The line's level says which it is. A tagged template, since braces in a plain message would be
  // read as placeholders.
  const text = formatProblem({ ...problem, severity: "error" });
  if (problem.severity === "error") logger.error`${text}`;
  else logger.warn`${text}`;
}
