/**
 * What is fuzzed, and what may come of it.
 *
 * @module
 */

import { type ErrorCode, RatholeError } from "../../../src/runtime/errors.ts";

/** A parser, or whatever else takes bytes from strangers. */
export interface Target {
  /** Names its corpus too: letters, digits and hyphens. */
  readonly name: string;
  /** Inputs to begin with, most of them valid. */
  readonly seeds: readonly Uint8Array[];
  /** What a mutation may put in: keywords, magic numbers. */
  readonly tokens?: readonly (string | Uint8Array)[];
  /** The longest input in bytes; 2 KiB unless told otherwise. */
  readonly longest?: number;
  /** Inputs between two looks at what they reached. */
  readonly batch?: number;
  /** Bytes of arrays that an input may make the program ask for; undefined where it is not asked. */
  readonly allowance?: (input: Uint8Array) => number;
  /** Inputs that are tried at once, where each takes its time; their news is kept as it is. */
  readonly parallel?: number;
  /**
   * Gives the program one input. Resolves with the shape of what came of it: inputs of the same
   * shape are much alike. Throws for whatever must not be.
   */
  run(input: Uint8Array): string | Promise<string>;
  /** Looks, between batches, at what one input cannot show. */
  check?(): Promise<void>;
  /** Ends what was started. */
  stop?(): Promise<void>;
}

/** Makes a target, with what it needs to have started. */
export type MakeTarget = () => Target | Promise<Target>;

/** The allowance of a parser that keeps what it gets: generous, and proportional to the input. */
export function proportional(input: Uint8Array): number {
  return (256 << 10) + 64 * input.length;
}

/** Fails with a message. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** What a call came to: a value, or an error that is documented. */
export type Outcome<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: RatholeError };

/** Calls; errors of other codes, and those that are not ours, are thrown on. */
export function outcomeOf<T>(codes: readonly ErrorCode[], call: () => T): Outcome<T> {
  try {
    return { value: call() };
  } catch (error) {
    return { error: documented(codes, error) };
  }
}

/** Same, for a promise. */
export async function settled<T>(
  codes: readonly ErrorCode[],
  promise: Promise<T>,
): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: documented(codes, error) };
  }
}

/** The error, if it is one of ours with one of these codes and says something; else it is thrown. */
export function documented(codes: readonly ErrorCode[], error: unknown): RatholeError {
  if (!(error instanceof RatholeError) || !codes.includes(error.code)) throw error;
  must(error.message.trim().length > 0, "an error without a message");
  must(!/undefined|NaN|\[object/.test(error.message), `a bad message: ${error.message}`);
  return error;
}

/** An error's code and sentence, without the numbers and names in it. */
export function shapeOf({ code, message }: RatholeError): string {
  const sentence = message.replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, "…").replaceAll(
    /[\da-f]{2,}|\d/g,
    "#",
  );
  return `${code}: ${sentence.slice(0, 120)}`;
}

/** A number's size, roughly: shapes that differ in it are few. */
export function sizeOf(count: number): number {
  return count < 4 ? count : 2 + Math.ceil(Math.log2(count));
}
