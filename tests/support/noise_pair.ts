/**
 * Two ends of a noise connection, over any other.
 *
 * @module
 */

import type { Connection } from "../../src/net/connection.ts";
import type { NoiseConfig } from "../../src/config/types.ts";
import { parseNoiseName } from "../../src/config/noise_pattern.ts";
import { openSuite } from "../../src/noise/suite.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { Secret } from "../../src/runtime/secret.ts";
import { NoiseConnection } from "../../src/transport/noise_connection.ts";
import { type NoiseLayer, openNoiseLayer } from "../../src/transport/noise.ts";
import { memoryPair } from "./memory_connection.ts";

/** Keys in base64, as in a configuration. */
export interface TextKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** A key pair made of one byte, for the Diffie-Hellman function of a protocol. */
export async function keysOf(protocol: string, seed: number): Promise<TextKeys> {
  const name = parseNoiseName(protocol);
  if (typeof name === "string") throw new Error(name);
  const { dh } = await openSuite(name);
  const raw = new Uint8Array(dh.keyBytes).fill(seed);
  return { privateKey: raw.toBase64(), publicKey: dh.keyPair(raw).publicKey.toBase64() };
}

/** The layers of both ends: client, server. */
export type Layers = readonly [NoiseLayer, NoiseLayer];

/** What differs in a configuration; undefined leaves a key out. */
type Changes = { readonly [K in keyof Omit<NoiseConfig, "pattern">]?: NoiseConfig[K] | undefined };

/** Layers of a protocol in which each end has the other's key, or as told. */
export async function noiseLayers(
  protocol: string,
  { client = {}, server = {} }: {
    readonly client?: Changes;
    readonly server?: Changes;
  } = {},
): Promise<Layers> {
  const [theirs, ours] = [await keysOf(protocol, 7), await keysOf(protocol, 9)];
  const config = (own: TextKeys, other: TextKeys) => ({
    pattern: protocol,
    local_private_key: new Secret(own.privateKey),
    remote_public_key: other.publicKey,
  });
  return [
    await openNoiseLayer({ ...config(theirs, ours), ...client }, "client"),
    await openNoiseLayer({ ...config(ours, theirs), ...server }, "server"),
  ];
}

/** Shakes hands over two connected ends. */
export async function overNoise(
  [client, server]: Layers,
  pair: readonly [Connection, Connection],
): Promise<[NoiseConnection, NoiseConnection]> {
  return await Promise.all([client.initiate(pair[0]), server.respond(pair[1])]);
}

/** How one end fared: `ok`, the error of its handshake, or what it found behind it. */
export type Outcome = unknown;

/**
 * Shakes hands as a transport does, aborting below where that fails. An end that succeeded while
 * the other failed goes on to read: its outcome is the error, or null for an end, that it finds.
 */
export async function attempt(
  [client, server]: Layers,
  pair: readonly [Connection, Connection],
): Promise<[Outcome, Outcome]> {
  const shake = async (below: Connection, handshake: () => Promise<Connection>) => {
    try {
      return await handshake();
    } catch (error) {
      below.abort(error);
      return error;
    }
  };
  const ends = await Promise.all([
    shake(pair[0], () => client.initiate(pair[0])),
    shake(pair[1], () => server.respond(pair[1])),
  ]);
  const bothFine = ends.every((end) => end instanceof NoiseConnection);
  const outcome = async (end: unknown): Promise<Outcome> => {
    if (!(end instanceof NoiseConnection)) return end;
    if (bothFine) return "ok";
    try {
      return await end.read();
    } catch (error) {
      return error;
    }
  };
  const outcomes: [Outcome, Outcome] = [await outcome(ends[0]), await outcome(ends[1])];
  for (const end of pair) end.abort();
  return outcomes;
}

/** What happens to the bytes of a handshake on the way, counted in the order they are sent. */
export interface Mischief {
  /** Both directions end after so many bytes. */
  readonly cutAfter?: number;
  /** The byte with this number is changed. */
  readonly flip?: { readonly at: number; readonly mask: number };
}

/** As {@linkcode attempt}, with somebody in between. */
export async function throughRelay(
  layers: Layers,
  { cutAfter = Infinity, flip }: Mischief,
): Promise<[Outcome, Outcome]> {
  const [client, left] = memoryPair();
  const [right, server] = memoryPair();
  let passed = 0;
  const stop = () => {
    left.abort();
    right.abort();
  };
  const copy = async (from: Connection, to: Connection) => {
    try {
      for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
        const bytes = chunk.slice(0, Math.max(0, cutAfter - passed));
        const at = (flip?.at ?? -1) - passed;
        if (flip !== undefined && at in bytes) bytes[at] = (bytes[at] ?? 0) ^ flip.mask;
        passed += bytes.length;
        await to.write(bytes);
        if (passed >= cutAfter) break;
      }
    } catch (error) {
      if (!(error instanceof RatholeError)) throw error;
    }
    stop();
  };
  if (cutAfter === 0) stop();
  const copying = Promise.all([copy(left, right), copy(right, left)]);
  const outcomes = await attempt(layers, [client, server]);
  await copying;
  return outcomes;
}
