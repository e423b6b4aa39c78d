/**
 * The opening handshake of WebSocket over a connection.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { RatholeError } from "../runtime/errors.ts";
import { type Head, HeadReader } from "../websocket/head.ts";
import {
  createKey,
  encodeHead,
  encodeReply,
  encodeRequest,
  readReply,
  readRequest,
  type UpgradeRequest,
} from "../websocket/upgrade.ts";

/** Bytes of a request's body that are read and forgotten, for its sender to see the answer. */
const MOST_IGNORED = 64 << 10;

/** What a handshake came to. */
export interface Handshake {
  /** Whether both ends take a Close frame as the end of its sender's direction only. */
  readonly halfClose: boolean;
  /** What came behind the handshake, lent by the connection. */
  readonly rest: Uint8Array;
  /** The head that the other end sent. */
  readonly head: Head;
}

/**
 * Asks a server for an upgrade.
 *
 * @throws {RatholeError} `protocol` for anything but an upgrade, `closed`.
 */
export async function requestUpgrade(
  connection: Connection,
  request: Omit<UpgradeRequest, "key">,
): Promise<Handshake> {
  const key = createKey();
  await connection.write(encodeRequest({ ...request, key }));
  let received;
  try {
    received = await readHead(connection);
  } catch (error) {
    throw aboutServer(error);
  }
  return { ...received, halfClose: readReply(received.head, key) };
}

/**
 * Grants a client's upgrade at `path`, or at any. Whoever asks for something else gets the page that
 * any web server has for what it does not have.
 *
 * @throws {RatholeError} `protocol`, after the answer; `closed`.
 */
export async function grantUpgrade(
  connection: Connection,
  path: string | undefined,
): Promise<Handshake> {
  let received;
  try {
    received = await readHead(connection);
  } catch (error) {
    if (!(error instanceof RatholeError) || error.code !== "protocol") throw error;
    await turnAway(connection, "400 Bad Request");
    throw new RatholeError("protocol", `expected a WebSocket request, got ${error.message}`);
  }
  const { head } = received;
  const upgrade = readRequest(head, path);
  if (typeof upgrade === "string") {
    await turnAway(connection, "404 Not Found", head.start.startsWith("HEAD "));
    const message = `expected a WebSocket request, got ${upgrade}; answered with HTTP status 404`;
    throw new RatholeError("protocol", message);
  }
  await connection.write(encodeReply(upgrade));
  return { ...received, halfClose: upgrade.halfClose };
}

async function readHead(connection: Connection): Promise<{ head: Head; rest: Uint8Array }> {
  const reader = new HeadReader();
  for (;;) {
    const chunk = await connection.read();
    if (chunk === null) {
      throw new RatholeError("closed", "the peer closed the connection in the WebSocket handshake");
    }
    const count = reader.push(chunk);
    if (count !== null) return { head: reader.parse(), rest: chunk.subarray(count) };
  }
}

function aboutServer(error: unknown): unknown {
  if (!(error instanceof RatholeError)) return error;
  if (error.code === "closed") {
    const message = `${error.message}: is transport.type "websocket" at the server too?`;
    return new RatholeError("closed", message, { cause: error });
  }
  if (error.code !== "protocol") return error;
  return new RatholeError("protocol", `expected a WebSocket server, got ${error.message}`);
}

/** Answers and ends; the caller has a reason to tell whatever becomes of it. */
async function turnAway(connection: Connection, status: string, bare = false): Promise<void> {
  const page = `<!DOCTYPE html>\n<html><head><title>${status}</title></head>` +
    `<body><h1>${status}</h1></body></html>\n`;
  const body = new TextEncoder().encode(page);
  const head = encodeHead(`HTTP/1.1 ${status}`, [
    ["Date", new Date().toUTCString()],
    ["Content-Type", "text/html"],
    ["Content-Length", `${body.length}`],
    ["Connection", "close"],
  ]);
  const answer = new Uint8Array(head.length + (bare ? 0 : body.length));
  answer.set(head);
  if (!bare) answer.set(body, head.length);
  try {
    await connection.write(answer);
    await connection.closeWrite();
    // To close with bytes unread would reset the connection, the answer with it.
    for (let ignored = 0; ignored < MOST_IGNORED;) {
      const chunk = await connection.read();
      if (chunk === null) break;
      ignored += chunk.length;
    }
  } catch {
    // It did not wait for its answer, or its time was up.
  }
}
