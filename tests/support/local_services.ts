/**
 * The services behind a tunnel, and their visitors.
 *
 * @module
 */

import type { Address } from "../../mod.ts";
import { soon } from "./patience.ts";

/** A TCP service that serves each connection with a function. */
export interface TcpService extends AsyncDisposable {
  readonly address: Address;
  /** Connections that ever came. */
  readonly accepted: number;
  /** Stops listening, and closes what is open. */
  stop(): Promise<void>;
}

/** Serves a connection, which is closed afterwards. Errors of a lost connection are expected. */
export type Handler = (connection: Deno.TcpConn, signal: AbortSignal) => Promise<void>;

/** What bytes can be written to. */
export interface Writable {
  write(bytes: Uint8Array): Promise<number> | number;
}

/** Starts a TCP service on a free port, or on a given one. */
export function tcpService(
  handler: Handler,
  { hostname = "127.0.0.1", port = 0 }: Partial<Address> = {},
): TcpService {
  const listener = Deno.listen({ hostname, port });
  const open = new Set<Deno.TcpConn>();
  const tasks = new Set<Promise<void>>();
  const stopping = new AbortController();
  let accepted = 0;
  const serve = async (connection: Deno.TcpConn) => {
    open.add(connection);
    await handler(connection, stopping.signal).catch(expectLost);
    if (open.delete(connection)) closeQuietly(connection);
  };
  const accepting = (async () => {
    for (;;) {
      const connection = await next(listener);
      if (connection === null) return;
      accepted++;
      const task = serve(connection).finally(() => tasks.delete(task));
      tasks.add(task);
    }
  })();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    stopping.abort();
    listener.close();
    for (const connection of open) {
      open.delete(connection);
      closeQuietly(connection);
    }
    await soon("a local service to end", Promise.all([accepting, ...tasks]));
  };
  const { addr } = listener;
  return {
    address: { hostname: addr.hostname, port: addr.port },
    get accepted() {
      return accepted;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The next connection that is still one; null when it does not listen any more. */
async function next(listener: Deno.TcpListener): Promise<Deno.TcpConn | null> {
  for (;;) {
    try {
      return await listener.accept();
    } catch (error) {
      // Who connected has reset it before it was accepted.
      if (error instanceof Deno.errors.NotConnected) continue;
      expectLost(error);
      return null;
    }
  }
}

/** Returns what it gets, and ends its direction when the visitor did. */
export function echoService(at?: Partial<Address>): TcpService {
  return tcpService(async (connection) => {
    await copy(connection, connection);
    await connection.closeWrite();
  }, at);
}

/** Copies until the end. Unlike `pipeTo` it leaves both open. */
export async function copy(from: Deno.TcpConn, to: Writable): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    await writeAll(to, buffer.subarray(0, count));
  }
}

/** Connects to a service's door. Closing is the caller's (`using`). */
export function visit(at: Address): Promise<Deno.TcpConn> {
  return soon(`a connection to port ${at.port}`, Deno.connect({ ...at }));
}

/** Writes all of the bytes. */
export async function writeAll(to: Writable, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Reads until the peer's direction ends. */
export function readToEnd(from: Deno.TcpConn): Promise<Uint8Array<ArrayBuffer>> {
  return soon("the end of a stream", collect(from));
}

/** Reads exactly so many bytes; an end before that is an error. */
export function readBytes(from: Deno.TcpConn, length: number): Promise<Uint8Array<ArrayBuffer>> {
  return soon(`${length} bytes`, collect(from, length));
}

/** Resolves when the peer has ended or cut the connection, whatever came before. */
export async function closedByPeer(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  const ended = (async () => {
    while (await connection.read(buffer) !== null);
  })();
  await soon("the peer to close", ended.catch(expectLost));
}

/** One question and its reply over a connection of its own, both ended by half-closes. */
export async function ask(
  at: Address,
  question: Uint8Array,
  ms?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  using visitor = await visit(at);
  const sending = writeAll(visitor, question).then(() => visitor.closeWrite());
  const [reply] = await soon("a reply", Promise.all([collect(visitor), sending]), ms);
  return reply;
}

/** What an echo returns, read while the question is still being sent; nothing is half-closed. */
export async function echoed(
  at: Address,
  question: Uint8Array,
  ms?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  using visitor = await visit(at);
  const both = Promise.all([collect(visitor, question.length), writeAll(visitor, question)]);
  const [reply] = await soon("an echo", both, ms);
  return reply;
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes that look random and are the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** SHA-256 in hexadecimal. */
export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Closes what may be closed already. */
export function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    expectLost(error);
  }
}

/** Whether an error only says that a connection is gone; others are thrown again. */
export function expectLost(error: unknown): void {
  const lost = [
    Deno.errors.ConnectionReset,
    Deno.errors.BrokenPipe,
    Deno.errors.BadResource,
    Deno.errors.Interrupted,
    Deno.errors.NotConnected,
    Deno.errors.ConnectionAborted,
  ];
  if (!lost.some((kind) => error instanceof kind)) throw error;
}

async function collect(from: Deno.TcpConn, length = Infinity): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65_536);
  let total = 0;
  while (total < length) {
    const count = await from.read(buffer.subarray(0, Math.min(65_536, length - total)));
    if (count === null) {
      if (length === Infinity) break;
      throw new Error(`the stream ended after ${total} of ${length} bytes`);
    }
    chunks.push(buffer.slice(0, count));
    total += count;
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
