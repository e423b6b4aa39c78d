/**
 * One end of a handshake: messages out of tokens, and back (Noise, section 5.3).
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import type { CipherState } from "./cipher_state.ts";
import type { HandshakePattern, Token } from "./patterns.ts";
import type { KeyPair, Suite } from "./primitives.ts";
import { SymmetricState, tooShort } from "./symmetric_state.ts";

/** The most bytes of a Noise message, of the handshake or after it (section 3). */
export const MOST_MESSAGE = 65_535;

/** What both ends must agree on, and the keys of this one. */
export interface HandshakeSettings {
  /** The protocol's full name, such as `Noise_NK_25519_ChaChaPoly_BLAKE2s`. */
  readonly protocol: string;
  /** The pattern that the name names. */
  readonly pattern: HandshakePattern;
  /** The functions that the name names. */
  readonly suite: Suite;
  /** Whether this end speaks first. */
  readonly initiator: boolean;
  /** What both ends must have seen before; empty in a tunnel. */
  readonly prologue?: Uint8Array | undefined;
  /** This end's static keys, where the pattern has any. */
  readonly local?: KeyPair | undefined;
  /** The other end's static key, where the pattern has it known. */
  readonly remote?: Uint8Array | undefined;
}

/** What a handshake leaves. */
export interface Transport {
  /** Seals what this end sends. */
  readonly send: CipherState;
  /** Opens what the other end sent. */
  readonly receive: CipherState;
}

/** A handshake in progress. Once something was thrown, it is over. */
export class HandshakeState {
  readonly #settings: HandshakeSettings;
  readonly #symmetric: SymmetricState;
  #ephemeral: KeyPair | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;
  #turn = 0;

  /** @throws {RatholeError} `config` when a key is missing that the pattern has known beforehand. */
  constructor(settings: HandshakeSettings) {
    const { pattern, initiator, local, remote, prologue = new Uint8Array(0) } = settings;
    this.#settings = settings;
    this.#symmetric = new SymmetricState(settings.suite, settings.protocol);
    this.#symmetric.mixHash(prologue);
    const known = (own: boolean) => required(own ? local?.publicKey : remote, own);
    if (pattern.knownInitiator) this.#symmetric.mixHash(known(initiator));
    if (pattern.knownResponder) this.#symmetric.mixHash(known(!initiator));
    if (initiator ? pattern.knownResponder : pattern.knownInitiator) this.#remoteStatic = remote;
  }

  /** Whether all messages were said: {@linkcode HandshakeState.split} may be called. */
  get finished(): boolean {
    return this.#turn === this.#settings.pattern.messages.length;
  }

  /** Whether the next message is this end's. */
  get writes(): boolean {
    return !this.finished && (this.#turn % 2 === 0) === this.#settings.initiator;
  }

  /** The other end's static key, as soon as it is known; it proves itself with a later token. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  /** The hash of the whole handshake (section 11.2). */
  get hash(): Uint8Array {
    return this.#symmetric.hash;
  }

  /** This end's next message. @throws {RatholeError} */
  writeMessage(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const token of this.#next(true)) {
      if (token === "e") {
        this.#ephemeral = this.#settings.suite.dh.generate();
        this.#symmetric.mixHash(this.#ephemeral.publicKey);
        parts.push(this.#ephemeral.publicKey);
      } else if (token === "s") {
        const key = required(this.#settings.local, true).publicKey;
        parts.push(this.#symmetric.encryptAndHash(key));
      } else this.#mix(token);
    }
    parts.push(this.#symmetric.encryptAndHash(payload));
    const message = joined(parts);
    if (message.length <= MOST_MESSAGE) return message;
    throw new RatholeError("limit", `a noise message of ${message.length} bytes is too long`);
  }

  /**
   * The payload of the other end's next message.
   *
   * @throws {RatholeError} `untrusted` when it does not decrypt or holds a useless key, `protocol`
   * when it is too short.
   */
  readMessage(message: Uint8Array): Uint8Array {
    const { keyBytes } = this.#settings.suite.dh;
    let at = 0;
    const take = (length: number) => {
      if (at + length > message.length) throw tooShort();
      // A copy: the message may be lent, and its keys are needed later.
      return message.slice(at, at += length);
    };
    for (const token of this.#next(false)) {
      if (token === "e") {
        this.#remoteEphemeral = take(keyBytes);
        this.#symmetric.mixHash(this.#remoteEphemeral);
      } else if (token === "s") {
        const wire = take(keyBytes + this.#symmetric.overhead);
        this.#remoteStatic = this.#symmetric.decryptAndHash(wire);
      } else this.#mix(token);
    }
    return this.#symmetric.decryptAndHash(message.subarray(at));
  }

  /** The keys for what follows. */
  split(): Transport {
    if (!this.finished) throw outOfTurn();
    const [first, second] = this.#symmetric.split();
    return this.#settings.initiator
      ? { send: first, receive: second }
      : { send: second, receive: first };
  }

  #next(writes: boolean): readonly Token[] {
    const tokens = this.#settings.pattern.messages[this.#turn];
    if (tokens === undefined || writes !== this.writes) throw outOfTurn();
    this.#turn++;
    return tokens;
  }

  #mix(token: Token): void {
    // The first letter is the initiator's key, the second the responder's.
    const [own, other] = this.#settings.initiator ? [0, 1] : [1, 0];
    const pair = token[own] === "e" ? this.#ephemeral : this.#settings.local;
    const key = token[other] === "e" ? this.#remoteEphemeral : this.#remoteStatic;
    const secret = required(pair, true).agree(required(key, false));
    this.#symmetric.mixKey(secret);
    secret.fill(0);
  }
}

function required<K>(key: K | undefined, own: boolean): K {
  if (key !== undefined) return key;
  const whose = own ? "this end's private key" : "the other end's public key";
  throw new RatholeError("config", `the noise pattern needs ${whose}, which is missing`);
}

function outOfTurn(): Error {
  return new Error("a noise handshake took a step out of turn");
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
