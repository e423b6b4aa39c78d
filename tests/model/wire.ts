/**
 * A simulated connection on which nothing arrives unless a schedule says so, with all its
 * bookkeeping synchronous: a million of them are made in minutes.
 *
 * @module
 */

import type { Connection } from "../../src/net/connection.ts";
import type { Address } from "../../src/runtime/address.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { type Ending, lost, Pipe } from "./pipe.ts";

/** The server's end, or the client's. */
export type Side = 0 | 1;

/** How a wire behaves. */
export interface WireOptions {
  /** Bytes of one direction that were written and not read before a write has to wait. */
  readonly capacity: number;
  /** Whether an abort at one end destroys what is under way to the other. */
  readonly destroys: boolean;
  /** Whether the other end's writes fail as soon as one end was aborted, not when it hears of it. */
  readonly prompt: boolean;
  /** Whether `closeWrite` takes until the end has arrived. */
  readonly slow: boolean;
  /** Hears of calls that the contract does not allow. */
  readonly broken: (what: string) => void;
}

/** One end of a wire. */
export class WireEnd implements Connection {
  readonly peer: Address = { hostname: "192.0.2.1", port: 1 };
  /** Sees what a read gives before whoever reads does. */
  onRead: ((chunk: Uint8Array | null) => void) | undefined;
  /** Sees what is written. */
  onWrite: ((bytes: Uint8Array) => void) | undefined;
  /** Called when it is aborted, before anybody else hears of it. */
  onAbort: ((reason: unknown) => void) | undefined;
  /** Whether this end was aborted. */
  aborted = false;
  readonly #options: WireOptions;
  readonly #input: Pipe;
  readonly #output: Pipe;
  #reason: unknown;

  /** One of {@linkcode Wire.ends}. */
  constructor(input: Pipe, output: Pipe, options: WireOptions) {
    this.#input = input;
    this.#output = output;
    this.#options = options;
  }

  /** Whether somebody waits for bytes. */
  get reading(): boolean {
    return this.#input.reader !== undefined;
  }

  /** Whether somebody waits for bytes to be taken. */
  get writing(): boolean {
    return this.#output.writer !== undefined;
  }

  /** Whether `closeWrite` is under way. */
  get closing(): boolean {
    return this.#output.closing !== undefined;
  }

  /** Whether this end's direction has ended. */
  get closed(): boolean {
    return this.#output.ending !== undefined;
  }

  /** Why the other end's direction has ended, once that has arrived. */
  get ending(): Ending | undefined {
    return this.#input.over ? this.#input.ending : undefined;
  }

  /** See {@linkcode Connection.read}. */
  read(max = Infinity): Promise<Uint8Array | null> {
    const input = this.#input;
    input.poison();
    if (this.aborted) return Promise.reject(this.#reason);
    if (input.reader !== undefined) return this.#break("two reads at once");
    const { promise, reject, resolve } = Promise.withResolvers<Uint8Array | null>();
    input.reader = { max, resolve, reject };
    if (this.onRead !== undefined) promise.then(this.onRead, ignore);
    input.serve();
    return promise;
  }

  /** See {@linkcode Connection.write}. */
  write(bytes: Uint8Array): Promise<void> {
    const output = this.#output;
    if (this.aborted) return Promise.reject(this.#reason);
    if (output.writer !== undefined) return this.#break("two writes at once");
    if (output.ending !== undefined) return this.#break("a write after closeWrite");
    if (output.refusal !== undefined) return Promise.reject(output.refusal);
    this.onWrite?.(bytes);
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    output.writer = { rest: bytes, resolve, reject };
    output.accept();
    return promise;
  }

  /** See {@linkcode Connection.closeWrite}. */
  closeWrite(): Promise<void> {
    const output = this.#output;
    if (this.aborted) return Promise.reject(this.#reason);
    if (output.writer !== undefined) return this.#break("closeWrite during a write");
    if (output.refusal !== undefined) return Promise.reject(output.refusal);
    if (output.ending !== undefined) return Promise.resolve();
    output.ending = "closed";
    if (!this.#options.slow || output.gone) return Promise.resolve();
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    output.closing = { resolve, reject };
    return promise;
  }

  /** See {@linkcode Connection.setNoDelay}. */
  setNoDelay(): void {}

  /** See {@linkcode Connection.abort}. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    const why = reason ?? new RatholeError("aborted", "the connection was ended by this side");
    this.onAbort?.(why);
    this.aborted = true;
    this.#reason = why;
    const [input, output] = [this.#input, this.#output];
    // Who leaves nothing unread destroys nothing.
    const destroys = this.#options.destroys && input.readable + input.flight > 0;
    input.drop();
    input.gone = true;
    input.fail(why);
    if (this.#options.prompt) input.refuse(lost("the peer is gone"));
    output.refuse(why);
    output.notice = true;
    output.ending ??= "aborted";
    output.overtaking = destroys && !output.over && output.error === undefined;
  }

  /** See {@linkcode Connection.abort}. */
  [Symbol.dispose](): void {
    this.abort();
  }

  #break(what: string): Promise<never> {
    this.#options.broken(what);
    return Promise.reject(new Error(what));
  }
}

/** Two ends, and what is between them. */
export class Wire {
  /** The server's and the client's. */
  readonly ends: readonly [WireEnd, WireEnd];
  /** Whether the network has broken it. */
  cut = false;
  /** From the server's end, and from the client's. */
  readonly #pipes: readonly [Pipe, Pipe];

  /** Nothing is under way. */
  constructor(options: WireOptions) {
    const forth = new Pipe(options.capacity);
    const back = new Pipe(options.capacity);
    this.#pipes = [forth, back];
    this.ends = [new WireEnd(back, forth, options), new WireEnd(forth, back, options)];
  }

  /** Bytes under way from an end. */
  flight(from: Side): number {
    return this.#pipes[from].flight;
  }

  /** Whether anything from an end can arrive at the other. */
  deliverable(from: Side): boolean {
    return this.#pipes[from].deliverable;
  }

  /** Has so many bytes from an end arrive at the other; the end of a direction counts as one. */
  deliver(from: Side, count: number): void {
    const pipe = this.#pipes[from];
    pipe.deliver(count);
    // An end that was aborted takes nothing: now the other knows.
    if (pipe.over && pipe.notice) {
      pipe.notice = false;
      this.#pipes[1 - from as Side].refuse(lost("the peer no longer takes data"));
    }
  }

  /** Whether bytes from an end are taken. */
  blocked(from: Side): boolean {
    return this.#pipes[from].blocked;
  }

  /** Bytes from an end are taken, or not until further notice. */
  block(from: Side, blocked: boolean): void {
    const pipe = this.#pipes[from];
    pipe.blocked = blocked;
    pipe.accept();
  }

  /** Takes whatever is written. */
  widen(): void {
    for (const pipe of this.#pipes) {
      pipe.capacity = Infinity;
      pipe.blocked = false;
      pipe.accept();
    }
  }

  /** Breaks it at both ends at once, with what is under way. */
  reset(): void {
    this.cut = true;
    const error = lost("the network broke the connection");
    for (const pipe of this.#pipes) {
      pipe.drop();
      pipe.overtaking = false;
      pipe.over = true;
      pipe.fail(error);
      pipe.refuse(error);
    }
  }

  /** Nobody uses it any more: others may have its memory. */
  free(): void {
    for (const pipe of this.#pipes) pipe.free();
  }
}

function ignore(): void {}
