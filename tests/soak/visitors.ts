/**
 * Visitors of every kind, good and bad, and streams that last.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Address } from "../../mod.ts";
import { type UdpSocket, udpSocket } from "../support/datagrams.ts";
import { ask, closeQuietly, echoed, noise, readToEnd, visit } from "../support/local_services.ts";
import { expectLost, writeAll } from "../support/local_services.ts";
import { pause, soon } from "../support/patience.ts";
import { sendAndReset } from "../support/victim.ts";
import type { Gate } from "./gate.ts";
import type { Tally } from "./tally.ts";

const KIB = 1024;
/** The longest that an answer may take, on a machine that has much else to do. */
const PATIENCE_MS = 30_000;
/** What streams carry: a prime's length, so that no buffer's size divides it. */
const PATTERN = noise(65_521, 7);
/** What visitors send is a part of this. */
const MATERIAL = noise(256 * KIB, 8);
/** Questions from one source; each new source costs the client a socket for a minute. */
const QUESTIONS_OF_A_SOURCE = 40;

/** A whole number from 0 to below a limit. */
export function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** One visitor, of a kind that chance decides. */
export async function visitor(door: Address, tally: Tally): Promise<void> {
  tally.add("visitors");
  const length = 1 + below(Math.random() < 0.1 ? 256 * KIB : 4 * KIB);
  const question = MATERIAL.subarray(0, length);
  const dice = Math.random();
  if (dice < 0.6) {
    await tally.must("a visitor that half-closes", async () => {
      deepEqual(await ask(door, question, PATIENCE_MS), question);
    });
  } else if (dice < 0.8) {
    await tally.must("a visitor", async () => {
      deepEqual(await echoed(door, question, PATIENCE_MS), question);
    });
  } else if (dice < 0.9) {
    await tally.must("a visitor that resets", () => sendAndReset(door, question));
  } else if (dice < 0.95) {
    await tally.must("a visitor that does not read", () => floodAndLeave(door));
  } else {
    await tally.must("a visitor that says nothing", async () => {
      using _silent = await visit(door);
      await pause(below(200));
    });
  }
  tally.add("bytes", length);
}

/** Much at once. */
export async function bulk(door: Address, tally: Tally): Promise<void> {
  tally.add("visitors");
  const question = noise(8 * KIB * KIB, below(1000) + 1);
  await tally.must("a bulk transfer", async () => {
    const answer = await ask(door, question, 60_000);
    if (Buffer.compare(answer, question) !== 0) throw new Error("bytes differ");
  });
  tally.add("bytes", question.length);
}

/** Writes until nothing more is taken for a while, never reads, and goes. */
async function floodAndLeave(door: Address): Promise<void> {
  const connection = await visit(door);
  const end = performance.now() + 300;
  const flood = (async () => {
    while (performance.now() < end) await writeAll(connection, MATERIAL);
  })();
  await Promise.race([flood, pause(300)]).catch(expectLost);
  closeQuietly(connection);
  await flood.catch(expectLost);
}

/** A stream that lasts from the start to the end, each byte of it checked. */
export async function lastingStream(
  what: string,
  door: Address,
  { gate, tally }: { readonly gate: Gate; readonly tally: Tally },
): Promise<void> {
  await tally.must(what, async () => {
    using stream = new EchoStream(await visit(door));
    tally.add("streams open");
    while (!gate.over) {
      tally.add("bytes", await stream.exchange(1 + below(below(20) === 0 ? 512 * KIB : 8 * KIB)));
      await gate.sleep(100 + below(400));
    }
    await stream.end();
    tally.add("streams open", -1);
  });
}

/** A stream to an echo, with an endless pattern. */
export class EchoStream implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(65_536);
  #sent = 0;
  #received = 0;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Sends so many bytes and gets them back; how many that were. */
  async exchange(count: number): Promise<number> {
    await soon(
      `${count} bytes after ${this.#received} of a stream`,
      Promise.all([this.#send(count), this.#receive(count)]),
      PATIENCE_MS,
    );
    return count;
  }

  /** Ends it by half-closes. */
  async end(): Promise<void> {
    await this.#connection.closeWrite();
    const rest = await readToEnd(this.#connection);
    if (rest.length > 0) throw new Error(`${rest.length} bytes too many`);
  }

  [Symbol.dispose](): void {
    closeQuietly(this.#connection);
  }

  async #send(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const from = this.#sent % PATTERN.length;
      const part = PATTERN.subarray(from, Math.min(PATTERN.length, from + left));
      await writeAll(this.#connection, part);
      this.#sent += part.length;
      left -= part.length;
    }
  }

  async #receive(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const room = this.#buffer.subarray(0, Math.min(left, this.#buffer.length));
      const got = await this.#connection.read(room);
      if (got === null) throw new Error(`the stream ended after ${this.#received} bytes`);
      for (let at = 0; at < got; at++, this.#received++) {
        if (room[at] !== PATTERN[this.#received % PATTERN.length]) {
          throw new Error(`byte ${this.#received} of the stream is wrong`);
        }
      }
      left -= got;
    }
  }
}

/** Asks over UDP, from a source that changes now and then. */
export class UdpVisitor implements AsyncDisposable {
  readonly #door: Address;
  readonly #tally: Tally;
  #socket: UdpSocket | undefined;
  #asked = 0;

  constructor(door: Address, tally: Tally) {
    this.#door = door;
    this.#tally = tally;
  }

  /** One datagram and its answer, which may get lost. */
  async ask(): Promise<void> {
    if (this.#asked++ % QUESTIONS_OF_A_SOURCE === 0) await this[Symbol.asyncDispose]();
    this.#socket ??= await udpSocket();
    const question = MATERIAL.slice(0, 8 + below(1400));
    new DataView(question.buffer).setUint32(0, this.#asked);
    this.#tally.add("datagrams");
    try {
      await this.#socket.send(question, this.#door);
      const { payload } = await this.#socket.next();
      if (Buffer.compare(payload, question) !== 0) this.#tally.fail("a datagram has changed");
    } catch {
      this.#tally.add("datagrams lost");
      // What comes late would be taken for the next answer.
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    await socket?.[Symbol.asyncDispose]();
  }
}
