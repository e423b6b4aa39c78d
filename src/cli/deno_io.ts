/**
 * The {@linkcode Io} of the real process.
 *
 * @module
 */

import { SystemClock } from "../runtime/clock.ts";
import { readAtMost } from "../runtime/read_at_most.ts";
import { FileWatch } from "../watch.ts";
import type { Io, StopSignal, WriteOptions } from "./io.ts";

/** Process-wide: installs the handlers that notice errors nobody caught. */
export function denoIo(): Io {
  const clock = new SystemClock();
  return {
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    clock,
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
    interactive: Deno.stdin.isTerminal(),
    env,
    readFile,
    isFile,
    watch: (path) => new FileWatch([path], { clock }),
    makeDirectory,
    writeFile,
    onSignal,
    crashed: crashed(),
    // Loaded when needed: --help does not wait for them, nor does a client carry the server.
    startServer: async (config, options) =>
      await (await import("../server/server.ts")).startServer(config, options),
    startClient: async (config, options) =>
      await (await import("../client/client.ts")).startClient(config, options),
  };
}

function env(name: string): string | undefined {
  // Reading without permission would ask the person at the terminal, or throw without one.
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

async function readFile(path: string, limit: number): Promise<Uint8Array> {
  requirePermission("read", path);
  return await readAtMost(path, limit);
}

async function isFile(path: string): Promise<boolean> {
  requirePermission("read", path);
  return (await Deno.stat(path)).isFile;
}

async function makeDirectory(path: string): Promise<void> {
  requirePermission("write", path);
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
}

async function writeFile(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
  const { mode, replace } = options;
  requirePermission("write", path);
  if (!replace) return await writeNew(path, bytes, mode);
  requirePermission("read", path); // which renaming asks for
  const temporary = `${path}.${crypto.randomUUID()}`;
  await writeNew(temporary, bytes, mode);
  try {
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary);
    throw error;
  }
}

/** Leaves nothing behind where it fails. */
async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const opened = await Deno.open(path, { write: true, createNew: true, mode });
  try {
    using file = opened;
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    await file.sync();
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
}

/** Deno would ask the person at the terminal for a permission that is missing. */
function requirePermission(name: "read" | "write", path: string): void {
  const { state } = Deno.permissions.querySync({ name, path });
  if (state !== "granted") throw new Deno.errors.NotCapable(`no permission to ${name} ${path}`);
}

function onSignal(handler: (signal: StopSignal) => void): Disposable {
  const signals: readonly StopSignal[] = Deno.build.os === "windows"
    ? ["SIGINT"] // and SIGBREAK; Windows ends processes by other means than SIGTERM
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const listeners = signals.map((signal) => ({ signal, listen: () => handler(signal) }));
  for (const { signal, listen } of listeners) Deno.addSignalListener(signal, listen);
  return {
    [Symbol.dispose]() {
      for (const { signal, listen } of listeners) Deno.removeSignalListener(signal, listen);
    },
  };
}

function crashed(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // whoever runs something races it; --help does not
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    reject(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    reject(event.error);
  });
  return promise;
}
