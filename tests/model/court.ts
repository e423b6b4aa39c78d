/**
 * What models of streams have to do with others.
 *
 * @module
 */

import { RatholeError } from "../../src/runtime/errors.ts";
import type { Tally } from "./tally.ts";
import type { Wire } from "./wire.ts";

/** Where a model tells what is wrong, and counts what has happened. */
export interface Court {
  readonly tally: Tally;
  /** Whether anybody wants to be told what happens. */
  readonly traced: boolean;
  trace(line: string): void;
  violate(what: string): void;
}

/** Tells what calls may be rejected with. */
export interface Expected {
  /** Whether it may be this. */
  matches(error: unknown): boolean;
}

/** Whatever calls are rejected with. */
export const ANYTHING: Expected = { matches: () => true };

/** What calls of an end that has failed are rejected with. */
export class Failure implements Expected {
  readonly #reasons: unknown[];
  readonly #code: string | undefined;

  /** One of these, or anything of this code. */
  constructor(reasons: unknown[], code?: string) {
    this.#reasons = reasons;
    this.#code = code;
  }

  /** Whether it may be this. */
  matches(error: unknown): boolean {
    if (this.#reasons.includes(error)) return true;
    return this.#code !== undefined && error instanceof RatholeError && error.code === this.#code;
  }
}

/** A data channel for a stream. */
export interface Channel {
  readonly wire: Wire;
  /** A read that is under way at the server's end. */
  readonly first: Promise<Uint8Array | null> | undefined;
  /** Whether each end has been asked to use it. */
  readonly used: [boolean, boolean];
  /** How often the server's end has said that it is of no use any more. */
  released: number;
}
