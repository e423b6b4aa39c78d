/**
 * Options and words of the command line, before anybody asks what they mean together.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { nearest } from "../config/suggest.ts";

const OPTIONS = {
  server: { type: "boolean", short: "s" },
  client: { type: "boolean", short: "c" },
  // Its value is optional, which parseArgs cannot say: the word that follows is taken by hand.
  genkey: { type: "boolean" },
  "log-format": { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

/** The long name of an option. */
export type OptionName = keyof typeof OPTIONS;

/** A mistake on the command line, as the text for its author. */
export class UsageError extends Error {}

/** An argument that is no option. */
export interface Word {
  /** As it was given. */
  readonly text: string;
  /** Whether it stood after `--`. */
  readonly literal: boolean;
}

/** The arguments, sorted. */
export interface Collected {
  /** Each option given, with its value if it has one. */
  readonly options: ReadonlyMap<OptionName, string | undefined>;
  /** Everything else, in order. */
  readonly words: readonly Word[];
}

/**
 * Sorts the arguments.
 *
 * @throws {UsageError} for an option that there is not, or that is given twice or with a value of
 * which it takes none
 */
export function collect(args: readonly string[]): Collected {
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

/**
 * A value that must be one of a few words.
 *
 * @throws {UsageError} when it is not
 */
export function oneOf<T extends string>(allowed: readonly T[], option: string, given?: string): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  const choice = allowed.join(" or ");
  if (given === undefined || given === "") throw new UsageError(`${option} needs ${choice}`);
  const near = allowed.find((value) => value === given.toLowerCase());
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new UsageError(`${option} takes ${choice}, not '${given}'${hint}`);
}
