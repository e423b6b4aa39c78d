/**
 * Carriers, spoken by hand: what no program of good will says.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { FRAME, FRAME_HEADER_LENGTH, writeHeader } from "../../src/carrier/frame.ts";
import { CARRIERS, encodeExtensionHello } from "../../src/protocol/extension.ts";
import { encodeHello, HELLO_LENGTH, TAG_LENGTH } from "../../src/protocol/messages.ts";
import { closeQuietly, expectLost, readBytes, visit, writeAll } from "./local_services.ts";
import { type RawClient, rawClient } from "./raw.ts";

const NOTHING = new Uint8Array(0);

/** A frame as it came. */
export interface RawFrame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** The bytes of a frame; its length may be said to be another. */
export function frameBytes(
  type: number,
  stream: number,
  payload: Uint8Array = NOTHING,
  length: number = payload.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_LENGTH + payload.length);
  writeHeader(bytes, 0, type, stream, length);
  bytes.set(payload, FRAME_HEADER_LENGTH);
  return bytes;
}

/** A `u32`. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** One end of a carrier, in somebody's hands. */
export class RawCarrier implements Disposable {
  readonly connection: Deno.TcpConn;

  /** Its hello has been said. */
  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
    connection.setNoDelay(true);
  }

  /** Sends a frame. */
  frame(type: number, stream: number, payload?: Uint8Array, length?: number): Promise<void> {
    return this.raw(frameBytes(type, stream, payload, length));
  }

  /** Sends bytes, whatever becomes of them. */
  raw(bytes: Uint8Array): Promise<void> {
    return writeAll(this.connection, bytes).catch(expectLost);
  }

  /** The next frame. */
  async next(): Promise<RawFrame> {
    const header = await readBytes(this.connection, FRAME_HEADER_LENGTH);
    const view = new DataView(header.buffer);
    const type = view.getUint8(4);
    const length = view.getUint32(4, true) >>> 8;
    const payload = length === 0 ? NOTHING : await readBytes(this.connection, length);
    return { type, stream: view.getUint32(0, true), payload };
  }

  /** The next frame of a type; others are dropped. */
  async until(type: number): Promise<RawFrame> {
    for (;;) {
      const frame = await this.next();
      if (frame.type === type) return frame;
    }
  }

  /** The number of the next stream that a server opens. */
  async opened(): Promise<number> {
    return (await this.until(FRAME.open)).stream;
  }

  [Symbol.dispose](): void {
    closeQuietly(this.connection);
  }
}

/** A client that has told the server that it can do carriers. */
export interface CarryingClient extends RawClient {
  /** How many are welcome. */
  readonly welcome: number;
  /** Opens one, welcome or not. */
  openCarrier(key?: Uint8Array): Promise<RawCarrier>;
}

/** Introduces itself as a client of ours does. */
export async function carryingClient(
  server: Address,
  service = "it",
  heartbeatInterval = 0,
): Promise<CarryingClient> {
  const client = await rawClient(server, service);
  try {
    await writeAll(client.control, encodeExtensionHello(CARRIERS, heartbeatInterval, 255));
    let command = await client.command();
    while (command[0] !== 2) command = await client.command();
    return {
      ...client,
      welcome: command[1] ?? 0,
      async openCarrier(key = client.key) {
        return await openCarrier(server, key);
      },
      [Symbol.dispose]: () => closeQuietly(client.control),
    };
  } catch (error) {
    closeQuietly(client.control);
    throw error;
  }
}

/** A connection that says that it is a carrier of a session. */
export async function openCarrier(server: Address, key: Uint8Array): Promise<RawCarrier> {
  const connection = await visit(server);
  await writeAll(connection, encodeHello({ kind: "carrier", digest: key }));
  return new RawCarrier(connection);
}

/** The command that says how many carriers are welcome. */
export function welcome(count: number): Uint8Array {
  return Uint8Array.of(2, count, ...new Uint8Array(TAG_LENGTH - 2));
}

/** Reads the hello of a connection that a client has opened. */
export async function kindOf(connection: Deno.TcpConn): Promise<number> {
  return (await readBytes(connection, HELLO_LENGTH))[0] ?? -1;
}
