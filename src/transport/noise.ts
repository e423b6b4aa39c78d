/**
 * The tunnel sealed by the Noise protocol (`type = "noise"`), over any connection: as rathole 0.5.0
 * frames it, and with pinned keys honoured wherever a key is shown.
 *
 * @module
 */

import type { Side } from "../config/finding.ts";
import {
  keyProblem,
  keyRole,
  noiseKeyBytes,
  type NoiseName,
  parseNoiseName,
} from "../config/noise_pattern.ts";
import type { NoiseConfig } from "../config/types.ts";
import type { Connection } from "../net/connection.ts";
import type { HandshakeSettings } from "../noise/handshake_state.ts";
import { PATTERNS } from "../noise/patterns.ts";
import type { DiffieHellman, KeyPair } from "../noise/primitives.ts";
import { openSuite } from "../noise/suite.ts";
import { RatholeError } from "../runtime/errors.ts";
import type { Layer } from "./layer.ts";
import { SealedBuffers } from "./noise_buffers.ts";
import { NoiseConnection } from "./noise_connection.ts";
import { shakeHands } from "./noise_handshake.ts";

/** What all handshakes of a transport have in common. */
export type NoiseKeys = Omit<HandshakeSettings, "initiator">;

/** Noise over any connection; the end that connected is the initiator. */
export class NoiseLayer implements Layer {
  readonly #settings: NoiseKeys;
  readonly #buffers = new SealedBuffers();

  /** Use {@linkcode openNoiseLayer}. */
  constructor(settings: NoiseKeys) {
    this.#settings = settings;
  }

  /** See {@linkcode Layer.initiate}. */
  initiate(connection: Connection): Promise<NoiseConnection> {
    return this.#over(connection, true);
  }

  /** See {@linkcode Layer.respond}. */
  respond(connection: Connection): Promise<NoiseConnection> {
    return this.#over(connection, false);
  }

  async #over(connection: Connection, initiator: boolean): Promise<NoiseConnection> {
    const keys = await shakeHands(connection, { ...this.#settings, initiator });
    return new NoiseConnection(connection, keys, this.#buffers);
  }
}

/**
 * The layer that a configuration asks for: functions loaded, keys decoded. Where the pattern wants
 * a static key of this end and none is configured, one is made that lasts as long as the layer, as
 * 0.5.0 does.
 *
 * @throws {RatholeError} `config` for a pattern or key that cannot work.
 */
export async function openNoiseLayer(config: NoiseConfig, side: Side): Promise<NoiseLayer> {
  const name = parseNoiseName(config.pattern);
  if (typeof name === "string") throw invalid("pattern", name);
  const pattern = PATTERNS.get(name.pattern);
  if (pattern === undefined) throw invalid("pattern", `names an unknown pattern, ${name.pattern}`);
  const suite = await openSuite(name);
  return new NoiseLayer({
    protocol: config.pattern,
    pattern,
    suite,
    local: keyRole(name, side) === "none" ? undefined : localKey(config, name, suite.dh),
    remote: remoteKey(config, name, suite.dh),
  });
}

function localKey(config: NoiseConfig, name: NoiseName, dh: DiffieHellman): KeyPair {
  const text = config.local_private_key;
  if (text === undefined) return dh.generate();
  const raw = decoded("local_private_key", text.reveal(), name);
  const pair = dh.keyPair(raw);
  raw.fill(0);
  return pair;
}

function remoteKey(
  config: NoiseConfig,
  name: NoiseName,
  dh: DiffieHellman,
): Uint8Array | undefined {
  const text = config.remote_public_key;
  if (text === undefined) return undefined;
  const raw = decoded("remote_public_key", text, name);
  try {
    dh.generate().agree(raw);
  } catch (cause) {
    const what = "is a key that no secret can be shared with; write the one that --genkey printed";
    throw invalid("remote_public_key", what, cause);
  }
  return raw;
}

function decoded(key: string, text: string, name: NoiseName): Uint8Array {
  const problem = keyProblem(text, noiseKeyBytes(name));
  if (problem !== undefined) throw invalid(key, problem);
  return Uint8Array.fromBase64(text);
}

function invalid(key: string, what: string, cause?: unknown): RatholeError {
  return new RatholeError("config", `transport.noise.${key} ${what}`, { cause });
}
