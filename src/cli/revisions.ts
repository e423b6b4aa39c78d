/**
 * From what the configuration file says to what the supervisor applies.
 *
 * @module
 */

import { parseConfig } from "../config/parse.ts";
import type { Problem } from "../config/problem.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Revisions } from "../supervisor.ts";
import type { Mode } from "./arguments.ts";
import type { ConfigSource } from "./config_source.ts";
import { chooseSide, type Side } from "./mode.ts";
import { logWarnings } from "./reload_log.ts";

/** Which file to run, and which of its blocks if that was said. */
export interface Asked {
  /** The file's path. */
  readonly config: string;
  /** The block. */
  readonly mode?: Mode;
}

/** The side that a text says is to run. @throws {RatholeError} `config` */
export function readSide(text: string, asked: Asked): Side & { warnings: readonly Problem[] } {
  const { config, warnings } = parseConfig(text, { file: asked.config });
  return { ...chooseSide(config, asked.mode), warnings };
}

/**
 * The configurations for a running side, which `blockOf` picks. A text is refused for whatever it
 * would be refused at the start, and if it is for the other side: most likely another machine's
 * file was copied here, and ending what runs would cut off whoever tries to put that right.
 */
export function revisionsOf<C>(
  source: Pick<ConfigSource, "next">,
  asked: Asked,
  blockOf: (side: Side) => C | undefined,
): Revisions<C> {
  const read = (text: string): C => {
    const side = readSide(text, asked);
    const block = blockOf(side);
    if (block === undefined) throw otherSide(asked.config, side.mode);
    logWarnings(side.warnings);
    return block;
  };
  return {
    async next() {
      const change = await source.next();
      if (change === undefined) return undefined;
      const { reading, asked } = change;
      if ("error" in reading) return { asked, error: reading.error };
      try {
        return { asked, config: read(reading.text) };
      } catch (error) {
        return { asked, error };
      }
    },
  };
}

function otherSide(file: string, now: Mode): RatholeError {
  const running = now === "server" ? "client" : "server";
  return new RatholeError(
    "config",
    `'${file}' has only a [${now}] block now, and this process runs the ${running}; ` +
      `restart it to run the ${now}`,
  );
}
