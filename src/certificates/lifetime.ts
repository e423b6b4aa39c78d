/**
 * How long certificates are valid.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";

/** From when to when, both included. */
export interface Lifetime {
  /** Default: an hour ago, for the clocks of other machines that are behind. */
  readonly notBefore?: Date | undefined;
  /** Default: {@linkcode AUTHORITY_DAYS} or {@linkcode LEAF_DAYS} later. */
  readonly notAfter?: Date | undefined;
}

/** An authority's days: ten years, in which nobody has to touch what trusts it. */
export const AUTHORITY_DAYS = 3650;

/**
 * A server's or client's days. Apple's systems refuse servers' certificates of more than 825 days
 * whoever signed them, and rathole 0.5.0 asks the system there.
 */
export const LEAF_DAYS = 825;

const DAY_MS = 24 * 60 * 60 * 1000;
const BACKDATED_MS = 60 * 60 * 1000;

/**
 * Both ends of a lifetime, in whole seconds as certificates have them. The last second is one less
 * than the days, since it counts as well.
 *
 * @throws {RatholeError} `config` for one that ends before it begins
 */
export function resolveLifetime({ notBefore, notAfter }: Lifetime, days: number, now: Date) {
  const from = wholeSecond(notBefore ?? new Date(now.getTime() - BACKDATED_MS));
  const to = wholeSecond(notAfter ?? new Date(from.getTime() + days * DAY_MS - 1000));
  if (!(from <= to)) {
    throw new RatholeError("config", "a certificate cannot end before it begins");
  }
  return { notBefore: from, notAfter: to };
}

function wholeSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
