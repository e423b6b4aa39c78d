/**
 * An {@linkcode Io} for tests: everything in memory, nothing permitted or asked.
 *
 * @module
 */

import { onRequest } from "../../src/cli/config_source.ts";
import { type Clock, SystemClock } from "../../src/runtime/clock.ts";
import type { ByteSink, Hints, Io, Running, StopSignal, WriteOptions } from "../../src/cli/io.ts";

/** A sink that keeps what it is given, until told to fail or to block. */
export class MemorySink implements ByteSink {
  /** Everything taken so far. */
  text = "";
  /** How many writes there were. */
  writes = 0;
  /** Thrown by the next writes. */
  failure: Error | undefined;
  /** The next writes wait for it. */
  gate: Promise<void> | undefined;
  /** The most bytes taken at once. */
  chunk = Infinity;

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const taken = bytes.subarray(0, this.chunk);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }

  /** What was written, line by line. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

/** A server or client whose end the test decides. */
export class FakeRunning implements Running {
  readonly #closed = Promise.withResolvers<void>();
  readonly #drained = Promise.withResolvers<void>();
  /** What was called, in order. */
  readonly calls: string[] = [];
  readonly closed: Promise<void> = this.#closed.promise;

  /** Ends by itself; with a reason, badly. */
  end(reason?: Error): void {
    if (reason === undefined) this.#closed.resolve();
    else this.#closed.reject(reason);
  }

  /** The last stream has finished. */
  finish(reason?: Error): void {
    if (reason === undefined) this.#drained.resolve();
    else this.#drained.reject(reason);
  }

  /** Configurations that came, and what the next updates are to fail with. */
  readonly updates: unknown[] = [];
  refusal: Error | undefined;

  async update(config: unknown): Promise<void> {
    this.updates.push(config);
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
  }

  drain(): Promise<void> {
    this.calls.push("drain");
    return this.#drained.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calls.push("dispose");
    await Promise.resolve();
    this.#drained.resolve();
    this.#closed.resolve();
  }
}

/** The outside in memory. */
export class FakeIo implements Io {
  readonly stdout: MemorySink = new MemorySink();
  readonly stderr: MemorySink = new MemorySink();
  readonly clock: Clock = new SystemClock();
  readonly files = new Map<string, string | Uint8Array | Error>();
  readonly running: FakeRunning = new FakeRunning();
  colour = false;
  interactive = false;
  rustLog: string | undefined;
  /** What start was called with, most recent last. */
  readonly started: { mode: string; signal: AbortSignal }[] = [];
  /** Thrown by starting. */
  startFailure: Error | undefined;
  /** Resolves once something runs. */
  readonly up: Promise<void>;
  readonly #up = Promise.withResolvers<void>();
  readonly #crash = Promise.withResolvers<never>();
  readonly crashed: Promise<never> = this.#crash.promise;
  #handlers: ((signal: StopSignal) => void)[] = [];

  constructor() {
    this.up = this.#up.promise;
    this.crashed.catch(() => {});
  }

  env(): string | undefined {
    return this.rustLog;
  }

  readFile(path: string, limit: number): Promise<Uint8Array> {
    const content = this.files.get(path) ?? new Deno.errors.NotFound("no");
    if (content instanceof Error) return Promise.reject(content);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return Promise.resolve(bytes.subarray(0, limit));
  }

  isFile(path: string): Promise<boolean> {
    if (this.pipes.has(path)) return Promise.resolve(false);
    return this.readFile(path, 0).then(() => true);
  }

  /** Paths that lead to no file. */
  readonly pipes = new Set<string>();
  /** Has whoever follows a file look at it. */
  readonly hints: Hints = onRequest();

  watch(): Hints {
    return this.hints;
  }

  /** Directories made, and how each file was written, in order. */
  readonly directories: string[] = [];
  readonly written: { path: string; mode: number; replace: boolean }[] = [];
  /** Thrown by writing the file of that path, or making the directory. */
  readonly writeFailures = new Map<string, Error>();

  makeDirectory(path: string): Promise<void> {
    const failure = this.writeFailures.get(path);
    if (failure !== undefined) return Promise.reject(failure);
    this.directories.push(path);
    return Promise.resolve();
  }

  writeFile(path: string, bytes: Uint8Array, { mode, replace }: WriteOptions): Promise<void> {
    const failure = this.writeFailures.get(path);
    if (failure !== undefined) return Promise.reject(failure);
    if (!replace && this.files.has(path)) {
      return Promise.reject(new Deno.errors.AlreadyExists(path));
    }
    this.files.set(path, bytes);
    this.written.push({ path, mode, replace });
    return Promise.resolve();
  }

  onSignal(handler: (signal: StopSignal) => void): Disposable {
    this.#handlers.push(handler);
    return {
      [Symbol.dispose]: () => {
        this.#handlers = this.#handlers.filter((other) => other !== handler);
      },
    };
  }

  /** How many listen to signals. */
  get listening(): number {
    return this.#handlers.length;
  }

  /** Sends the process a signal. */
  signal(signal: StopSignal): void {
    for (const handler of this.#handlers) handler(signal);
  }

  /** An error that nobody caught. */
  crash(error: Error): void {
    this.#crash.reject(error);
  }

  readonly startServer: Io["startServer"] = (_config, { signal }) => this.#start("server", signal);
  readonly startClient: Io["startClient"] = (_config, { signal }) => this.#start("client", signal);

  #start(mode: string, signal: AbortSignal): Promise<FakeRunning> {
    this.started.push({ mode, signal });
    this.#up.resolve();
    if (this.startFailure !== undefined) return Promise.reject(this.startFailure);
    return Promise.resolve(this.running);
  }
}
