/**
 * The configuration file's text, or why there is none.
 *
 * @module
 */

import { explain, RatholeError } from "../runtime/errors.ts";
import type { Io } from "./io.ts";

/** Far above any configuration, far below what hurts: a mistyped path may be a disk image. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** Reads the file; every way to fail is a RatholeError of code `config` or `permission`. */
export async function readConfigFile(path: string, io: Pick<Io, "readFile">): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await io.readFile(path, LARGEST_FILE + 1);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new RatholeError(
        "permission",
        `cannot read '${path}': the Deno sandbox does not allow it; run with ` +
          `--allow-read=${path}`,
      );
    }
    throw new RatholeError("config", `cannot read '${path}': ${reason(cause)}`, { cause });
  }
  if (bytes.length > LARGEST_FILE) {
    throw new RatholeError("config", `'${path}' is larger than 16 MiB: not a configuration file`);
  }
  if (isUtf16(bytes)) {
    throw new RatholeError("config", `'${path}' is UTF-16 text: save it as UTF-8`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RatholeError("config", `'${path}' is not UTF-8 text: not a configuration file`);
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory, not a file";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is not a directory";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the operating system does not allow it; check its owner and mode";
  }
  return explain(error);
}

/** Editors on Windows write it, with this mark at the start. */
function isUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}
