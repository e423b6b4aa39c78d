/**
 * The openssl command, for what only it makes: certificates of an intermediate authority, PKCS#12
 * of the legacy family, encrypted keys, keys of curves that TLS here does not take.
 *
 * @module
 */

import { type Installed, installed, requireProgram } from "./installed.ts";

/** Where it is, if it is. */
export const openssl: Installed = await installed("openssl");

/** What a test that needs it adds to its name and options. */
export const withOpenssl = { title: openssl.missing, ignore: openssl.ignore } as const;

/** How a run of it ended. */
export interface OpensslOutput {
  readonly ok: boolean;
  /** All that it has printed, to either output. */
  readonly text: string;
}

/** Runs it, whatever comes of it. @throws {Error} when it is not installed */
export async function runOpenssl(...args: string[]): Promise<OpensslOutput> {
  const command = new Deno.Command(requireProgram("openssl", openssl), { args, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs it. @throws {Error} with what it printed, when it fails */
export async function mustOpenssl(...args: string[]): Promise<string> {
  const { ok, text } = await runOpenssl(...args);
  if (!ok) throw new Error(`openssl ${args.join(" ")}\n${text}`);
  return text;
}
