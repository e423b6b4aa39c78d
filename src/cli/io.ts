/**
 * Everything the command line needs of the outside, so that its tests hand in small fakes.
 *
 * @module
 */

import type { ClientConfig, ServerConfig } from "../config/types.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Instance, Start } from "../supervisor.ts";

/** Where bytes go; a write may take some of them only, and says how many. */
export interface ByteSink {
  /** Writes from the start of `bytes`. */
  write(bytes: Uint8Array): Promise<number>;
}

/** The signals that the program listens to. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** What the command line asks of a running server or client. Disposing ends it at once. */
export type Running = Pick<Instance<never>, "closed" | "drain" | typeof Symbol.asyncDispose>;

/** Says when a file may have changed. */
export interface Hints extends AsyncDisposable {
  /** Resolves with true when the file may have changed; with false when the watch is over. */
  next(): Promise<boolean>;
  /** Has whoever waits look now. */
  hint(): void;
}

/** How a file is written. */
export interface WriteOptions {
  /** Who may do what with it, where the system knows such modes, such as 0o600. */
  readonly mode: number;
  /**
   * Whether the file may be there already: it is then replaced as a whole, so that nobody ever
   * reads half of the new one. Otherwise one that is there is an `AlreadyExists`, and stays.
   */
  readonly replace: boolean;
}

/** The outside. */
export interface Io {
  /** Log lines, and what was asked for: help, version, keys. */
  readonly stdout: ByteSink;
  /** Messages about mistakes. */
  readonly stderr: ByteSink;
  /** Time. */
  readonly clock: Clock;
  /** Whether standard output is a terminal whose user wants colours. */
  readonly colour: boolean;
  /** Whether the program was started from a terminal, which takes it along when it closes. */
  readonly interactive: boolean;
  /** An environment variable; undefined also when it may not be read. Never asks for permission. */
  env(name: "RUST_LOG"): string | undefined;
  /** Reads `limit` bytes of a file at most. Rejects with Deno's errors. Never asks. */
  readFile(path: string, limit: number): Promise<Uint8Array>;
  /** Whether a path leads to a file: no pipe, device or directory. Rejects with Deno's errors. */
  isFile(path: string): Promise<boolean>;
  /** Watches a file until disposed. Never asks. */
  watch(path: string): Hints;
  /** Makes a directory and those above it, for this user only. One that is there is fine. */
  makeDirectory(path: string): Promise<void>;
  /** Writes a file. Rejects with Deno's errors. Never asks. */
  writeFile(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /** Calls the handler for each signal until disposed. */
  onSignal(handler: (signal: StopSignal) => void): Disposable;
  /** Rejects when an error was thrown where nobody could catch it. */
  readonly crashed: Promise<never>;
  /** Runs a server. */
  readonly startServer: Start<ServerConfig>;
  /** Runs a client. */
  readonly startClient: Start<ClientConfig>;
}
