/**
 * The command line: from arguments to a {@linkcode Command}, with nothing touched on the way.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { nearest } from "../config/suggest.ts";
import { RESERVED_COMMANDS } from "./reserved.ts";

/** Which of a configuration's two blocks to run. */
export type Mode = "server" | "client";

/** How log lines look. */
export type LogFormat = "text" | "json";

/** Diffie-Hellman functions that `--genkey` makes keys for. */
export type Curve = "x25519" | "x448";

/** What the arguments ask for. */
export type Command =
  | {
    readonly kind: "run";
    readonly config: string;
    /** Absent: the configuration decides. */
    readonly mode?: Mode;
    readonly logFormat: LogFormat;
  }
  | { readonly kind: "genkey"; readonly curve: Curve }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  /** No arguments at all: whoever types that wants to know what to type. */
  | { readonly kind: "nothing" }
  | { readonly kind: "usage"; readonly message: string };

const OPTIONS = {
  server: { type: "boolean", short: "s" },
  client: { type: "boolean", short: "c" },
  // Its value is optional, which parseArgs cannot say: the word that follows is taken by hand.
  genkey: { type: "boolean" },
  "log-format": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

type OptionName = keyof typeof OPTIONS;

const CURVES: readonly Curve[] = ["x25519", "x448"];
const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];

/** A mistake on the command line, as the text for its author. */
class UsageError extends Error {}

/** Understands the arguments, or says as `usage` what is wrong with them. */
export function parseArguments(args: readonly string[]): Command {
  if (args.length === 0) return { kind: "nothing" };
  try {
    return decide(collect(args));
  } catch (error) {
    if (error instanceof UsageError) return { kind: "usage", message: error.message };
    throw error;
  }
}

/** A word that is no option, and whether it stood after `--`. */
interface Word {
  readonly text: string;
  readonly literal: boolean;
}

interface Collected {
  readonly options: ReadonlyMap<OptionName, string | undefined>;
  readonly words: readonly Word[];
}

function collect(args: readonly string[]): Collected {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false, // its own messages speak to the programmer, not to the user
    tokens: true,
  });
  const options = new Map<OptionName, string | undefined>();
  const words: Word[] = [];
  let literal = false;
  let curveMayFollow = -1;
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      literal = true;
    } else if (token.kind === "positional") {
      if (token.index === curveMayFollow) options.set("genkey", token.value);
      else words.push({ text: token.value, literal });
    } else {
      const name = knownOption(token.name, token.rawName);
      // `--name=value` for an option that takes none; a value apart is never given to those.
      if (token.value !== undefined && OPTIONS[name].type === "boolean" && name !== "genkey") {
        throw new UsageError(`--${name} takes no value, but '${token.value}' was given`);
      }
      if (options.has(name)) throw new UsageError(`--${name} was given more than once`);
      options.set(name, token.value);
      if (name === "genkey" && token.value === undefined) curveMayFollow = token.index + 1;
    }
  }
  return { options, words };
}

function decide({ options, words }: Collected): Command {
  if (options.has("help")) return { kind: "help" };
  if (options.has("version")) return { kind: "version" };
  if (options.has("server") && options.has("client")) {
    throw new UsageError("--server and --client exclude each other; one process runs one of them");
  }
  const logFormat = options.has("log-format")
    ? oneOf(LOG_FORMATS, "--log-format", options.get("log-format"))
    : "text";
  const [first, second] = words;
  if (options.has("genkey")) {
    if (first !== undefined) {
      throw new UsageError(`--genkey needs no configuration file, but '${first.text}' was given`);
    }
    return { kind: "genkey", curve: oneOf(CURVES, "--genkey", options.get("genkey") ?? "x25519") };
  }
  if (first === undefined) throw new UsageError("the configuration file is missing");
  if (!first.literal) refuseReserved(first.text);
  if (second !== undefined) {
    throw new UsageError(`one configuration file is expected, but '${second.text}' was given too`);
  }
  if (first.text === "") throw new UsageError("the name of the configuration file is empty");
  const run = { kind: "run", config: first.text, logFormat } as const;
  if (options.has("server")) return { ...run, mode: "server" };
  if (options.has("client")) return { ...run, mode: "client" };
  return run;
}

function refuseReserved(word: string): void {
  const purpose = RESERVED_COMMANDS.get(word);
  if (purpose === undefined) return;
  throw new UsageError(
    `the command '${word}' (${purpose}) is not there yet; for a file of that name write './${word}'`,
  );
}

function knownOption(name: string, rawName: string): OptionName {
  if (isOptionName(name)) return name;
  // A part of a long name is what people try when they know another program's short one.
  const names = Object.keys(OPTIONS);
  const meant = rawName.startsWith("--")
    ? nearest(name, names) ?? names.find((known) => name !== "" && known.startsWith(name))
    : undefined;
  const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
  throw new UsageError(`there is no option ${rawName}${hint}`);
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function oneOf<T extends string>(allowed: readonly T[], option: string, given?: string): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  const choice = allowed.join(" or ");
  if (given === undefined || given === "") throw new UsageError(`${option} needs ${choice}`);
  const near = allowed.find((value) => value === given.toLowerCase());
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UsageError(`${option} takes ${choice}, not '${given}'${hint}`);
}
