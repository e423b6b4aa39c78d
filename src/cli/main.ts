/**
 * The program: arguments in, exit code out.
 *
 * @module
 */

import { explain, RatholeError } from "../runtime/errors.ts";
import { parseArguments } from "./arguments.ts";
import { escapeUnprintable } from "./escape.ts";
import { HELP_TEXT, USAGE_HINT, VERSION_TEXT } from "./help.ts";
import type { ByteSink, Io } from "./io.ts";
import { describeFailure } from "./report.ts";

/** Done, stopped by a signal, or help. */
export const EXIT_DONE = 0;
/** The configuration, an address or all services failed. */
export const EXIT_FAILED = 1;
/** The command line is wrong. */
export const EXIT_USAGE = 2;

/** Does what the arguments ask for. Never throws and never exits: it returns the exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    const lines = describeFailure(error, io.env("RUST_LOG"));
    await printError(lines.map((line) => `${escapeUnprintable(line)}\n`).join(""), io);
    return EXIT_FAILED;
  }
}

async function dispatch(args: readonly string[], io: Io): Promise<number> {
  const command = parseArguments(args);
  switch (command.kind) {
    case "help":
      return await print(HELP_TEXT, io);
    case "version":
      return await print(VERSION_TEXT, io);
    case "nothing":
      await printError(HELP_TEXT, io);
      return EXIT_USAGE;
    case "usage":
      await printError(`rathole: ${escapeUnprintable(command.message)}\n${USAGE_HINT}`, io);
      return EXIT_USAGE;
    case "genkey": {
      const { formatKeyPair, generateKeyPair } = await import("./genkey.ts");
      return await print(formatKeyPair(await generateKeyPair(command.curve)), io);
    }
    case "gen-cert": {
      const { genCert } = await import("./gen_cert.ts");
      return await print(await genCert(command, io), io);
    }
    case "run": {
      // Not before it is needed: parser, validator and log are what takes time to load.
      const { run } = await import("./run.ts");
      await run(command, io);
      return EXIT_DONE;
    }
  }
}

/** A reader that has seen enough (`| head`) is no failure; a full disk is: a key may be lost. */
async function print(text: string, io: Io): Promise<number> {
  try {
    await writeAll(text, io.stdout);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.BrokenPipe)) {
      const why = explain(cause);
      throw new RatholeError("closed", `cannot write to standard output: ${why}`, { cause });
    }
  }
  return EXIT_DONE;
}

async function printError(text: string, io: Pick<Io, "stderr">): Promise<void> {
  // With standard error gone there is nobody left to tell; the exit code still says it.
  await writeAll(text, io.stderr).catch(() => {});
}

async function writeAll(text: string, sink: ByteSink): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await sink.write(rest));
}
