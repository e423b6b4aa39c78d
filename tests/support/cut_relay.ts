/**
 * A relay for one connection, which it cuts after a given byte.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, Socket } from "node:net";
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

/** See the module. */
export interface CutRelay {
  readonly address: Address;
  /** Bytes that were passed on. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** Cuts it now, if the byte has not come: conversations differ by a few bytes. */
  cut(): void;
  /** Resolves when both sockets are gone, and fails when one of the ends keeps its own open. */
  closed(): Promise<void>;
}

/** Waits for one connection and passes it on to an address. Only `node:net` can reset. */
export async function cutRelay(to: Address, cut?: Cut): Promise<CutRelay> {
  const passed = { up: 0, down: 0 };
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const bound = listener.address();
  if (bound === null || typeof bound === "string") throw new Error("unreachable");

  let over = false;
  const sockets: Socket[] = [];
  const end = () => {
    if (over) return;
    over = true;
    for (const socket of sockets) {
      if (cut?.how === "RST") socket.resetAndDestroy();
      else socket.end();
    }
  };
  const relaying = (async () => {
    const [near]: Socket[] = await once(listener, "connection");
    listener.close();
    if (near === undefined) throw new Error("unreachable");
    const far = new Socket({ allowHalfOpen: true });
    const gone = Promise.all([near, far].map((socket) => {
      // That it broke is what tests are about; they look at the ends.
      socket.on("error", () => {});
      return new Promise<void>((resolve) => socket.once("close", () => resolve()));
    }));
    far.connect(to.port, to.hostname);
    await once(far, "connect");
    sockets.push(near, far);
    const pass = (from: Socket, target: Socket, direction: Direction) => {
      from.on("data", (chunk: Uint8Array) => {
        // What comes after the cut is taken and dropped, so that FIN stays FIN.
        if (over) return;
        const last = cut?.direction === direction ? cut.after : Infinity;
        const bytes = chunk.slice(0, last - passed[direction]);
        passed[direction] += bytes.length;
        if (passed[direction] < last) return void target.write(bytes);
        target.write(bytes, end);
      });
      from.on("end", () => over || target.end());
    };
    pass(near, far, "up");
    pass(far, near, "down");
    if (cut?.after === 0) end();
    await gone;
  })();
  return {
    address: { hostname: "127.0.0.1", port: bound.port },
    passed,
    cut: end,
    closed: () => soon("both ends to close their sockets", relaying),
  };
}
