/**
 * Handshake patterns as the Noise specification (revision 34) lists them: the interactive
 * fundamental ones of section 7.5, the deferred ones of section 18.1. The one-way patterns are
 * left out, for they carry no duplex stream.
 *
 * @module
 */

import { RatholeError } from "../runtime/errors.ts";
import { TAG_BYTES } from "./primitives.ts";

const TOKENS = ["e", "s", "ee", "es", "se", "ss"] as const;

/**
 * What a message holds: a public key (`e` ephemeral, `s` static), or nothing but the instruction
 * to mix in the secret of the initiator's key (first letter) and the responder's (second).
 */
export type Token = typeof TOKENS[number];

/** Who says what to whom. */
export interface HandshakePattern {
  /** Whether the responder knows the initiator's static key beforehand (`-> s` before `...`). */
  readonly knownInitiator: boolean;
  /** Whether the initiator knows the responder's (`<- s` before `...`). */
  readonly knownResponder: boolean;
  /** The messages in turn; the first, third, … are the initiator's. */
  readonly messages: readonly (readonly Token[])[];
}

/** The lines of each pattern below its `...`; the known keys are those that its name calls K. */
const MESSAGES = {
  NN: "e, e ee",
  NK: "e es, e ee",
  NX: "e, e ee s es",
  KN: "e, e ee se",
  KK: "e es ss, e ee se",
  KX: "e, e ee se s es",
  XN: "e, e ee, s se",
  XK: "e es, e ee, s se",
  XX: "e, e ee s es, s se",
  IN: "e s, e ee se",
  IK: "e es s ss, e ee se",
  IX: "e s, e ee se s es",

  NK1: "e, e ee es",
  NX1: "e, e ee s, es",
  X1N: "e, e ee, s, se",
  X1K: "e es, e ee, s, se",
  XK1: "e, e ee es, s se",
  X1K1: "e, e ee es, s, se",
  X1X: "e, e ee s es, s, se",
  XX1: "e, e ee s, es s se",
  X1X1: "e, e ee s, es s, se",
  K1N: "e, e ee, se",
  K1K: "e es, e ee, se",
  KK1: "e, e ee se es",
  K1K1: "e, e ee es, se",
  K1X: "e, e ee s es, se",
  KX1: "e, e ee se s, es",
  K1X1: "e, e ee s, se es",
  I1N: "e s, e ee, se",
  I1K: "e es s, e ee, se",
  IK1: "e s, e ee se es",
  I1K1: "e s, e ee es, se",
  I1X: "e s, e ee s es, se",
  IX1: "e s, e ee se s, es",
  I1X1: "e s, e ee s, se es",
};

/** All patterns by name. */
export const PATTERNS: ReadonlyMap<string, HandshakePattern> = new Map(
  Object.entries(MESSAGES).map(([name, text]) => [name, patternOf(name, text)]),
);

/**
 * How many bytes each message has when its payload is empty, as the tunnel's always are: the keys
 * in it, and a tag behind each static key and behind the payload as soon as a secret is shared.
 */
export function messageLengths(pattern: HandshakePattern, keyBytes: number): readonly number[] {
  let tag = 0;
  return pattern.messages.map((tokens) => {
    let length = 0;
    for (const token of tokens) {
      if (token === "e") length += keyBytes;
      else if (token === "s") length += keyBytes + tag;
      else tag = TAG_BYTES;
    }
    return length + tag;
  });
}

function patternOf(name: string, text: string): HandshakePattern {
  return {
    knownInitiator: name.startsWith("K"),
    knownResponder: name.slice(1).includes("K"),
    messages: text.split(", ").map((line) => line.split(" ").map(tokenOf)),
  };
}

function tokenOf(text: string): Token {
  const token = TOKENS.find((token) => token === text);
  if (token === undefined) throw new RatholeError("unsupported", `no token of Noise: ${text}`);
  return token;
}
