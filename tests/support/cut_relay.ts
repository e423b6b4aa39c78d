/**
 * A relay that cuts each connection after a given byte.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import type { Address } from "../../mod.ts";
import { soon } from "./patience.ts";

/** `up` is from who connects to who accepts. */
export type Direction = "up" | "down";

/** Where a connection is cut, and how. */
export interface Cut {
  readonly direction: Direction;
  /** So many bytes of that direction are passed on, and nothing more in either. */
  readonly after: number;
  /** Whether both ends see an end of the stream, or a reset. */
  readonly how: "FIN" | "RST";
}

/** Relays to one address. Only `node:net` can reset a connection. */
export class CutRelay implements AsyncDisposable {
  readonly address: Address;
  readonly #to: Address;
  readonly #listener: Server;
  #next: Link | undefined;

  private constructor(to: Address, listener: Server) {
    const bound = listener.address();
    if (bound === null || typeof bound === "string") throw new Error("unreachable");
    this.address = { hostname: "127.0.0.1", port: bound.port };
    this.#to = to;
    this.#listener = listener;
    listener.on("connection", (near: Socket) => {
      const link = this.#next;
      this.#next = undefined;
      if (link === undefined) near.destroy(new Error("nobody was expected"));
      else link.run(near, this.#to);
    });
  }

  /** Starts to listen. */
  static async to(address: Address): Promise<CutRelay> {
    const listener = createServer({ allowHalfOpen: true });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new CutRelay(address, listener);
  }

  /** What becomes of the next connection. One at a time: `reached` of the last one first. */
  expect(cut: Cut | undefined): Link {
    if (this.#next !== undefined) throw new Error("another one is still expected");
    return this.#next = new Link(cut);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await once(this.#listener, "close");
  }
}

/** A connection through the relay. */
export class Link {
  /** Bytes that were passed on. */
  readonly passed: Record<Direction, number> = { up: 0, down: 0 };
  #cut: Cut | undefined;
  #since: Readonly<Record<Direction, number>> = { up: 0, down: 0 };
  readonly #reached = Promise.withResolvers<void>();
  readonly #cutOff = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #sockets: readonly Socket[] = [];
  #over = false;

  /** Use {@linkcode CutRelay.expect}. */
  constructor(cut: Cut | undefined) {
    this.#cut = cut;
  }

  /** Resolves when the address was reached, before anything is passed on. */
  get reached(): Promise<void> {
    return soon("the relay to be used", this.#reached.promise);
  }

  /** Resolves once it was cut. */
  get over(): Promise<void> {
    return soon("the cut", this.#cutOff.promise);
  }

  /** Resolves when both sockets are gone, and fails when an end keeps its own open. */
  get closed(): Promise<void> {
    return soon("both ends to close their sockets", this.#closed.promise);
  }

  /** Has it cut so many bytes from now, where it was not to be cut before. */
  arm(cut: Cut): void {
    this.#cut = cut;
    this.#since = { ...this.passed };
    if (cut.after === 0) this.cut();
  }

  /** Cuts it now, if the byte has not come: conversations differ by a few bytes. */
  cut(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cutOff.resolve();
    for (const socket of this.#sockets) {
      if (this.#cut?.how === "RST") socket.resetAndDestroy();
      else socket.end();
    }
  }

  /** Called by the relay. */
  run(near: Socket, to: Address): void {
    const far = new Socket({ allowHalfOpen: true });
    this.#sockets = [near, far];
    let open = 2;
    for (const socket of this.#sockets) {
      // That it broke is what tests are about; they look at the ends.
      socket.on("error", () => {});
      socket.once("close", () => {
        if (--open === 0) this.#closed.resolve();
      });
    }
    far.connect(to.port, to.hostname, () => {
      this.#reached.resolve();
      this.#pass(near, far, "up");
      this.#pass(far, near, "down");
      if (this.#cut?.after === 0) this.cut();
    });
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (chunk: Uint8Array) => {
      // What comes after the cut is taken and dropped, so that FIN stays FIN.
      if (this.#over) return;
      const cut = this.#cut;
      const last = cut?.direction === direction ? this.#since[direction] + cut.after : Infinity;
      const bytes = chunk.slice(0, last - this.passed[direction]);
      this.passed[direction] += bytes.length;
      if (this.passed[direction] < last) to.write(bytes);
      else to.write(bytes, () => this.cut());
    });
    from.on("end", () => {
      if (!this.#over) to.end();
    });
  }
}
