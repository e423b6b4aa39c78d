/**
 * What the heap of a running program holds once its garbage is gone, by V8's inspector protocol.
 *
 * Resident memory goes up and down by megabytes with the collector's habits, and a leak of some
 * bytes a visitor would be lost in it. What objects take after a collection does not. Machine code
 * is left out, which V8 goes on to make for ever longer; so is what buffers hold, which is as much
 * as is on its way: a buffer that is kept shows as the object that it is, too.
 *
 * @module
 */

import { soon } from "../support/patience.ts";

/** Where a program started with `--inspect=127.0.0.1:0` says it can be asked. */
export const LISTENING = /Debugger listening on (ws:\/\/\S+)/;

/** The longest that a program may take to answer. */
const PATIENCE_MS = 30_000;

/** Evaluated in the program: the sum of the spaces with objects, those with code left out. */
const SPACES = `process.getBuiltinModule("node:v8").getHeapSpaceStatistics()
  .filter(({ space_name: name }) => /^(new|old|large|new_large)_/.test(name))
  .reduce((sum, { space_used_size: size }) => sum + size, 0)`;

/** A connection to a program's inspector. */
export class Inspector implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #closed: Promise<void>;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.addEventListener("close", () => resolve()));
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  /** Connects to the address that {@linkcode LISTENING} matches. */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    const inspector = new Inspector(socket);
    await soon(
      "a program's inspector",
      new Promise((open, failed) => {
        socket.addEventListener("open", open);
        socket.addEventListener("error", () => failed(new Error(`cannot connect to ${url}`)));
      }),
    );
    return inspector;
  }

  /** Bytes that objects take, after collecting the garbage. */
  async liveObjects(): Promise<number> {
    // What is finalised by one collection is freed by the next.
    await this.#call("HeapProfiler.collectGarbage");
    await this.#call("HeapProfiler.collectGarbage");
    const answer = await this.#call("Runtime.evaluate", {
      expression: SPACES,
      returnByValue: true,
    });
    const bytes = Number(/"value":(\d+)/.exec(JSON.stringify(answer))?.[1]);
    if (!(bytes > 0)) throw new Error(`not a heap's size: ${Deno.inspect(answer)}`);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await soon("an inspector's end", this.#closed);
  }

  async #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await soon(`${method} of a program`, promise, PATIENCE_MS);
  }
}
