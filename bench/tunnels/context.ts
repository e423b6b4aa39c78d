/**
 * What all parts of a run share.
 *
 * @module
 */

import type { Processes } from "./processes.ts";
import type { Programs } from "./programs.ts";

/** A run, while it goes on. */
export interface Bench {
  readonly processes: Processes;
  readonly programs: Programs;
  /** Aborted when somebody stops it. */
  readonly signal: AbortSignal;
  /**
   * How long each rate is measured; datagrams take {@linkcode UDP_SECONDS} at most, and lines
   * {@linkcode LINE_SECONDS}.
   */
  readonly seconds: number;
  /** The checkouts that are `ours` and `old`. */
  readonly checkouts: { readonly ours: string; readonly old?: string };
  /** The port of the web server behind all tunnels. */
  readonly web: number;
}

/** Longer says nothing more about datagrams. */
export const UDP_SECONDS = 2;
/** With a download beside it, with delay or with loss: there are many of them. */
export const LINE_SECONDS = 2;

/** Lets time pass, unless the run is stopped. */
export function pause(bench: Bench, ms: number): Promise<void> {
  const { signal } = bench;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
