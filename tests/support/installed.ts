/**
 * Programs of other projects that tests are run against, where they are installed.
 *
 * @module
 */

import { join } from "node:path";

/** A program that may be installed. */
export interface Installed {
  /** Where it is; null when it is not. */
  readonly path: string | null;
  /** What the name of a test says when it is not run. */
  readonly missing: string;
  /** Whether tests with it are not to be run: never in CI, where a missing one is a failure. */
  readonly ignore: boolean;
}

/** Looks for a program, also where only administrators usually look. */
export async function installed(name: string): Promise<Installed> {
  const path = await find(name);
  return {
    path,
    missing: path === null ? ` (not run: no ${name} here)` : "",
    ignore: path === null && Deno.env.get("CI") !== "true",
  };
}

/** The path of a program that a test cannot do without. @throws {Error} naming it */
export function requireProgram(name: string, { path }: Installed): string {
  if (path === null) throw new Error(`${name} is not installed; .ci/run has the packages' names`);
  return path;
}

async function find(name: string): Promise<string | null> {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...folders, "/usr/sbin", "/usr/local/sbin", "/sbin"]) {
    const path = join(folder || ".", name);
    const file = await Deno.stat(path).catch(() => null);
    if (file?.isFile === true) return path;
  }
  return null;
}
