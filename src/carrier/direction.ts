/**
 * How far one direction of a stream is.
 *
 * @module
 */

/** Frames may follow, it has ended, or it goes on over a data channel. */
export type Direction = "open" | "ended" | "moved";
