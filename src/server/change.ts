/**
 * Changes to what a server listens on: prepared first, so that they can be taken back.
 *
 * @module
 */

import { type Clock, sleep } from "../runtime/clock.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Scope } from "../runtime/scope.ts";

/** Something prepared, which takes effect or is taken back; one of the two, once. */
export interface Change {
  /** Takes effect. */
  commit(): void;
  /** Closes what was opened for it. */
  discard(): void;
}

/** A change that needs no preparation. */
export function simply(commit: () => void): Change {
  return { commit, discard() {} };
}

/**
 * Closes what listens at a port and is about to go or to move, so that something else can listen
 * there. Whether there was anything.
 */
export type MakeWay = (port: number) => boolean;

/** Milliseconds that the system may take to free an address that was just closed. */
const FREE_WITHIN = 1_000;
/** Milliseconds between attempts to listen there. */
const AGAIN = 5;

/** What opening needs. */
export interface Opening<D> {
  /** The port that is to be listened at. */
  readonly port: number;
  /** Times attempts. */
  readonly clock: Clock;
  /** Ends attempts. */
  readonly scope: Scope;
  /** See {@linkcode MakeWay}. */
  readonly makeWay: MakeWay;
  /** Listens. */
  open(): D | Promise<D>;
}

/**
 * Opens beside what is there; where that is in the way and about to go, in its stead.
 *
 * @throws what `open` throws, once there is nothing left to try
 */
export async function openBeside<D>({ port, clock, scope, makeWay, open }: Opening<D>): Promise<D> {
  try {
    return await open();
  } catch (error) {
    if (!isBind(error) || !makeWay(port)) throw error;
  }
  const end = clock.now() + FREE_WITHIN;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isBind(error) || clock.now() >= end || scope.aborted) throw error;
      await sleep(clock, AGAIN, scope.signal);
    }
  }
}

function isBind(error: unknown): boolean {
  return error instanceof RatholeError && error.code === "bind";
}
