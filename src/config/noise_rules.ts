/**
 * Rules for a `noise` block: which keys its pattern needs, which it has no use for, and whether the
 * other end is who it says.
 *
 * @module
 */

import { error, type Finding, type Judge, type Side, warning } from "./finding.ts";
import {
  keyProblem,
  keyRole,
  noiseKeyBytes,
  type NoiseName,
  parseNoiseName,
} from "./noise_pattern.ts";
import { formatKey, type Path } from "./problem.ts";
import { DEFAULT_NOISE_PATTERN } from "./transport_schema.ts";
import { isTable, textOf, valueAt } from "./value.ts";

/**
 * Everything to say about one side's `noise`, whose value as written is `noise`. Where Noise is not
 * the transport in use, what is wrong is only a warning, as 0.5.0 never looks at it. `judge` is for
 * what lets a stranger pose as the server.
 */
export function* noiseRules(
  side: Side,
  path: Path,
  noise: unknown,
  chosen: boolean,
  judge: Judge,
): Generator<Finding> {
  if (noise === undefined && chosen) {
    const key = side === "client" ? "remote_public_key" : "local_private_key";
    yield warning(
      path,
      `is missing, and ${DEFAULT_NOISE_PATTERN} cannot work without keys; write ` +
        `[${formatKey(path)}] with ${key}`,
    );
  }
  if (!isTable(noise)) return;
  const problem = chosen ? error : warning;
  const pattern = valueAt(noise, ["pattern"]) ?? DEFAULT_NOISE_PATTERN;
  const name = typeof pattern === "string" ? parseNoiseName(pattern) : undefined;
  if (typeof name === "string") yield problem([...path, "pattern"], name);
  if (typeof name !== "object") return;
  for (const key of ["local_private_key", "remote_public_key"]) {
    const text = textOf(valueAt(noise, [key]));
    const sentence = text === undefined ? undefined : keyProblem(text, noiseKeyBytes(name));
    if (sentence !== undefined) yield problem([...path, key], sentence);
  }
  if (!chosen) return;
  yield* othersKey(side, path, name, valueAt(noise, ["remote_public_key"]) !== undefined, judge);
  yield* ownKey(side, path, name, valueAt(noise, ["local_private_key"]) !== undefined);
}

/** The other end's public key: needed, pinned, or of no use. */
function* othersKey(
  side: Side,
  block: Path,
  name: NoiseName,
  written: boolean,
  judge: Judge,
): Generator<Finding> {
  const path = [...block, "remote_public_key"];
  const other = side === "client" ? "server" : "client";
  const role = keyRole(name, other);
  if (role === "known" && !written) {
    yield error(
      path,
      `is missing, and ${name.pattern} needs it; write the ${other}'s public key in base64`,
    );
  }
  if (role === "none" && written) {
    yield warning(path, `has no effect, since in ${name.pattern} the ${other} has no key`);
  }
  // A server has the token to tell its clients by; nothing but its key tells a client the server.
  if (side === "server") return;
  if (role === "none") {
    yield judge(
      [...block, "pattern"],
      "gives the server no key, so that anybody who answers there can pose as it; write a pattern " +
        "ending in K, such as Noise_NK_25519_ChaChaPoly_BLAKE2s",
    );
  }
  if (role === "sent" && !written) {
    yield judge(
      path,
      "is missing, so that any key is taken for the server's and anybody who answers there can pose " +
        "as it; write the server's public key in base64",
    );
  }
}

/** This end's private key: one that changes with each start matters where the other end knows it. */
function* ownKey(side: Side, block: Path, name: NoiseName, written: boolean): Generator<Finding> {
  const path = [...block, "local_private_key"];
  const other = side === "client" ? "server" : "client";
  const role = keyRole(name, side);
  if (role === "none" && written) {
    yield warning(path, `has no effect, since in ${name.pattern} the ${side} has no key`);
  }
  if (written) return;
  const help = "write the key of rathole --genkey";
  if (role === "known") {
    yield warning(
      path,
      `is missing, so that each start makes a new key that no ${other} knows; ${help}`,
    );
  }
  // Servers that pin the one client they have are rare, and told so by that client being refused.
  if (role === "sent" && side === "server") {
    yield warning(
      path,
      `is missing, so that each start makes a new key, which no client can pin; ${help}`,
    );
  }
}
