/**
 * Where the project is.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The path of a file URL. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The project's folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL("../", import.meta.url));
