/**
 * The {@linkcode Io} of the real process.
 *
 * @module
 */

import { SystemClock } from "../runtime/clock.ts";
import type { Io, StopSignal } from "./io.ts";

/** Process-wide: installs the handlers that notice errors nobody caught. */
export function denoIo(): Io {
  return {
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    clock: new SystemClock(),
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
    interactive: Deno.stdin.isTerminal(),
    env,
    readFile,
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
  const { state } = Deno.permissions.querySync({ name: "read", path });
  if (state !== "granted") throw new Deno.errors.NotCapable(`no permission to read ${path}`);
  using file = await Deno.open(path);
  let bytes = new Uint8Array(16 * 1024);
  let length = 0;
  while (length < limit) {
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.min(limit, bytes.length * 4));
      larger.set(bytes);
      bytes = larger;
    }
    const n = await file.read(bytes.subarray(length));
    if (n === null) break;
    length += n;
  }
  return bytes.subarray(0, length);
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
