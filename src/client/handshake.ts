/**
 * The client's side of opening a control channel, over any connection.
 *
 * @module
 */

import { formatKey } from "../config/problem.ts";
import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import { isMarked, serviceDigest, sessionKey } from "../protocol/auth.ts";
import {
  decodeAck,
  decodeHello,
  encodeHello,
  type Hello,
  HELLO_LENGTH,
  requireHello,
  TAG_LENGTH,
} from "../protocol/messages.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";

/** What a client has once the server let it in. */
export interface Admitted {
  /** What its data channels show: 32 bytes. */
  readonly key: Uint8Array;
  /** Whether the server is one of ours and reads extension frames. */
  readonly extended: boolean;
}

async function readHello(connection: Connection): Promise<Hello> {
  try {
    const hello = new Uint8Array(HELLO_LENGTH);
    hello.set(await readExact(connection, TAG_LENGTH));
    requireHello(hello.subarray(0, TAG_LENGTH));
    hello.set(await readExact(connection, HELLO_LENGTH - TAG_LENGTH), TAG_LENGTH);
    return decodeHello(hello);
  } catch (error) {
    if (!(error instanceof RatholeError) || error.code !== "closed") throw error;
    const message =
      `no hello from the server: ${error.message}; its log tells whether it refuses ` +
      "this client's key or certificate, or its address for a while after failed attempts; it may " +
      "also use another transport, or be another program";
    throw new RatholeError("closed", message, { cause: error });
  }
}

/**
 * Asks to offer a service.
 *
 * @throws {RatholeError} `service` when the server does not know it, `auth` when it refused the
 * token, `protocol`, `version` or `closed` when something else is at the other end.
 */
export async function introduce(
  connection: Connection,
  service: string,
  token: Secret,
): Promise<Admitted> {
  await connection.write(encodeHello({ kind: "control", digest: await serviceDigest(service) }));
  const hello = await readHello(connection);
  if (hello.kind !== "control") {
    throw new RatholeError("protocol", "the server greeted with a data channel's hello");
  }
  const [key, extended] = await Promise.all([
    sessionKey(token.reveal(), hello.digest),
    isMarked(hello.digest),
  ]);
  await connection.write(key);
  switch (decodeAck(await readExact(connection, TAG_LENGTH))) {
    case "ok":
      return { key, extended };
    case "service-unknown":
      throw new RatholeError(
        "service",
        `the server does not know service "${service}"; ` +
          `add [${formatKey(["server", "services", service])}] there`,
      );
    case "auth-failed":
      throw new RatholeError(
        "auth",
        `the server refused the token of service "${service}"; both ends need the same one`,
      );
  }
}
