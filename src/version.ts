/**
 * The one place that says which version this is; a test holds `deno.json` to it.
 *
 * @module
 */

/** This program's version. */
export const VERSION = "0.1.0";

/** The version of the Rust program whose command line, configuration and wire this one speaks. */
export const COMPATIBLE_VERSION = "0.5.0";
