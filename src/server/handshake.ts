/**
 * The server's side of opening a control channel, over any connection.
 *
 * @module
 */

import type { Connection } from "../net/connection.ts";
import { readExact } from "../net/read_exact.ts";
import { createNonce, equalDigests, sessionKey } from "../protocol/auth.ts";
import {
  type Ack,
  decodeHello,
  DIGEST_LENGTH,
  encodeAck,
  encodeHello,
  type Hello,
  HELLO_LENGTH,
} from "../protocol/messages.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";

/** What a service must show to be authenticated for. */
export interface Authenticable {
  /** Its name, for messages. */
  readonly name: string;
  /** Its token. */
  readonly token: Secret;
}

/** Reads the first message of a connection. @throws {RatholeError} */
export async function readHello(connection: Connection): Promise<Hello> {
  return decodeHello(await readExact(connection, HELLO_LENGTH));
}

/**
 * Challenges a client that asked for a service and tells it the verdict. A client that asks for an
 * unknown service is put to the same question, so that it learns no sooner than others.
 *
 * @returns the session key, 32 bytes
 * @throws {RatholeError} `service` or `auth` after the client was told; whatever the connection
 * throws.
 */
export async function authenticate(
  connection: Connection,
  service: Authenticable | undefined,
): Promise<Uint8Array> {
  const nonce = await createNonce();
  await connection.write(encodeHello({ kind: "control", digest: nonce }));
  const proof = (await readExact(connection, DIGEST_LENGTH)).slice();
  const key = await sessionKey(service?.token.reveal() ?? "", nonce);
  const verdict: Ack = service === undefined
    ? "service-unknown"
    : equalDigests(proof, key)
    ? "ok"
    : "auth-failed";
  await connection.write(encodeAck(verdict));
  switch (verdict) {
    case "ok":
      return key;
    case "service-unknown":
      throw new RatholeError(
        "service",
        "the client asked for a service that is not configured; its log has the name",
      );
    case "auth-failed":
      throw new RatholeError("auth", `the client has a wrong token for service "${service?.name}"`);
  }
}
