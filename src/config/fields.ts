/**
 * The kinds of value a key can have, as schemas that explain themselves when they refuse.
 *
 * Every message is `what is wrong; what to write instead`.
 *
 * @module
 */

import * as v from "valibot";
import {
  type Address,
  formatAddress,
  isAddress,
  parseAddress,
  parseIp,
} from "../runtime/address.ts";
import { Secret } from "../runtime/secret.ts";
import { clampSeconds, durationProblem, parseDuration } from "./duration.ts";
import type { DurationOption, SecretOption } from "./options.ts";
import { quote } from "./problem.ts";
import { nearest } from "./suggest.ts";
import { describe } from "./value.ts";

/** What a schema says about a key besides its type. */
export interface FieldInfo {
  /** Which kind of value it is, where the type alone does not tell. */
  readonly kind?: "address" | "duration" | "secret" | "named" | "list";
  /** A value to write, as TOML; used when the key is missing. */
  readonly example?: string;
  /** The only side that uses it, in blocks both sides have. */
  readonly side?: "server" | "client";
  /** Never shown: the value may hold a secret. */
  readonly masked?: boolean;
  /** For a table of named entries, or a list: the schema of each. */
  readonly each?: v.GenericSchema;
}

/** Refuses a value of the wrong type: what it is, and what to write. */
export function instead(help: string): (issue: v.BaseIssue<unknown>) => string {
  return (issue) => `is ${describe(issue.input)}; ${help}`;
}

/** Text of any content. */
export function text(description: string, info: FieldInfo = {}) {
  return v.pipe(
    v.string(instead("write text in quotes")),
    v.description(description),
    v.metadata({ ...info }),
  );
}

/** `true` or `false`. */
export function flag(description: string) {
  return v.pipe(
    v.boolean(({ input }) =>
      input === "true" || input === "false"
        ? `is text; write ${input} without quotes`
        : `is ${describe(input)}; write true or false`
    ),
    v.description(description),
  );
}

/** One of a few words. */
export function choice<const Words extends readonly string[]>(words: Words, description: string) {
  const all = words.map((word) => `"${word}"`).join(", ");
  return v.pipe(
    v.picklist(words, ({ input }) => {
      if (typeof input !== "string") return `is ${describe(input)}; write one of ${all}`;
      const guess = nearest(input, words);
      const hint = guess === undefined ? "write" : `did you mean ${quote(guess)}? Known are`;
      return `is not known; ${hint} ${guess === undefined ? "one of " : ""}${all}`;
    }),
    v.description(description),
  );
}

/** A whole number from `min` to `max`. */
export function count(min: number, description: string, max: number = Number.MAX_SAFE_INTEGER) {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
  const help = `write a whole number, ${bounds}`;
  return v.pipe(
    v.number(({ input }) =>
      typeof input === "string" && /^\d+$/.test(input)
        ? `is text; write ${input} without quotes`
        : `is ${describe(input)}; ${help}`
    ),
    v.integer(`has a fraction; ${help}`),
    v.minValue(min, ({ input }) => `is ${input < 0 ? "negative" : "too small"}; ${help}`),
    v.maxValue(max, `is too large; ${help}`),
    v.description(description),
  );
}

/** A time; its output is seconds. `zero` tells whether no time at all makes sense. */
export function duration(description: string, zero: "zero allowed" | "above zero") {
  return v.pipe(
    v.custom<DurationOption>(
      (input) => typeof input === "number" || typeof input === "string",
      instead('write whole seconds such as 30, or text such as "500ms", "1m30s"'),
    ),
    v.description(description),
    v.metadata({ kind: "duration" } satisfies FieldInfo),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const seconds = typeof dataset.value === "string"
        ? parseDuration(dataset.value)
        : dataset.value;
      if (seconds === null) addIssue({ message: durationProblem(String(dataset.value)) });
      else if (Number.isNaN(seconds)) addIssue({ message: "is not a number; write seconds" });
      else if (seconds < 0) addIssue({ message: "is negative; write 0 or more" });
      else if (seconds === 0 && zero === "above zero") {
        addIssue({ message: "leaves no time at all; write more than 0" });
      }
    }),
    v.transform((input) =>
      clampSeconds(typeof input === "string" ? parseDuration(input) ?? 0 : input)
    ),
  );
}

/** A token, password or key. Its output is wrapped, and no message shows it. */
export function secret(description: string, info: FieldInfo = {}) {
  return v.pipe(
    v.custom<SecretOption>(
      (input) => typeof input === "string" || input instanceof Secret,
      instead("write text in quotes"),
    ),
    v.description(description),
    v.metadata({ ...info, kind: "secret", masked: true } satisfies FieldInfo),
    v.transform((input) => typeof input === "string" ? new Secret(input) : input),
  );
}

/** `host:port`. Its output is in the form that `parseAddress` reads. */
export function address(
  description: string,
  example: string,
  port0: "port 0 allowed" | "no port 0",
) {
  return v.pipe(
    v.string(instead(`write host:port such as "${example}"`)),
    v.description(description),
    v.metadata({ kind: "address", example: `"${example}"` } satisfies FieldInfo),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const parsed = readAddress(dataset.value);
      if (!isAddress(parsed)) {
        const help = parsed.problem.includes("; ") ? "" : `; write host:port such as "${example}"`;
        addIssue({ message: parsed.problem + help });
      } else if (parsed.port === 0 && port0 === "no port 0") {
        addIssue({
          message: `has port 0, which nothing listens on; write host:port such as "${example}"`,
        });
      }
    }),
    v.transform((input) => {
      const parsed = readAddress(input);
      return isAddress(parsed) ? formatAddress(parsed) : input;
    }),
  );
}

/**
 * An address as 0.5.0 understands it: also IPv6 without brackets, the port after the last colon.
 * That is ambiguous to people, so a rule warns of it, yet files with `:::2333` are about.
 */
function readAddress(input: string): Address | { readonly problem: string } {
  return bareIpv6(input) ?? parseAddress(input);
}

/** An IPv6 address and port without brackets, or undefined when the text is something else. */
export function bareIpv6(input: string): Address | undefined {
  const match = /^([\da-fA-F:.]*:[\da-fA-F:.]*):(\d{1,5})$/.exec(input);
  const [, hostname = "", port = ""] = match ?? [];
  if (match === null || Number(port) > 65535 || parseIp(hostname) === null) return undefined;
  return { hostname, port: Number(port) };
}
