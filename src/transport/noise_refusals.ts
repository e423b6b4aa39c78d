/**
 * Why a noise handshake was given up, in sentences that somebody can act on. Public keys may be
 * shown, private ones are not even here.
 *
 * @module
 */

import type { HandshakeSettings } from "../noise/handshake_state.ts";
import { RatholeError } from "../runtime/errors.ts";

/** A message whose length is none that the pattern has. `header` is the first two bytes. */
export function strangeLength(
  settings: HandshakeSettings,
  turn: number,
  header: Uint8Array,
  expected: number,
): RatholeError {
  const { other, protocol } = about(settings);
  const spoken = turn < 2 ? otherProtocol(header) : undefined;
  if (spoken !== undefined) {
    return new RatholeError(
      "protocol",
      `the ${other} does not speak noise but ${spoken}; write the same transport.type at both ends`,
    );
  }
  const length = (header[0] ?? 0) | (header[1] ?? 0) << 8;
  return new RatholeError(
    "protocol",
    `the ${other} does not speak ${protocol}: its ${ordinal(turn)} message has ${length} bytes ` +
      `instead of ${expected}; write the same transport.type and transport.noise.pattern at both ` +
      "ends",
  );
}

/** A message that does not decrypt, or holds a key that is none. */
export function changedMessage(
  settings: HandshakeSettings,
  turn: number,
  cause: unknown,
): unknown {
  if (!(cause instanceof RatholeError)) return cause;
  const { other, own, protocol } = about(settings);
  const { pattern, initiator, local, remote } = settings;
  const causes: string[] = [];
  const [knowsOwn, knowsOther] = initiator
    ? [pattern.knownInitiator, pattern.knownResponder]
    : [pattern.knownResponder, pattern.knownInitiator];
  if (knowsOther && remote !== undefined) {
    causes.push(`its key is not the remote_public_key here, ${remote.toBase64()}`);
  }
  if (knowsOwn && local !== undefined) {
    causes.push(`its remote_public_key is not this ${own}'s, ${local.publicKey.toBase64()}`);
  }
  causes.push(`its pattern is not ${protocol}`, "somebody changed the message on the way");
  const last = causes.pop();
  return new RatholeError(
    cause.code,
    `the ${other}'s ${ordinal(turn)} noise message cannot be read (${cause.message}): ` +
      `${causes.join(", or ")}, or ${last}`,
    { cause },
  );
}

/** The other end showed another static key than the one that is pinned. */
export function wrongPin(
  settings: HandshakeSettings,
  shown: Uint8Array,
  pinned: Uint8Array,
): RatholeError {
  const { other } = about(settings);
  return new RatholeError(
    "untrusted",
    `the ${other} has the public key ${shown.toBase64()}, and remote_public_key is ` +
      `${pinned.toBase64()}; if its key was changed on purpose, write the new one, else find out ` +
      "who is there",
  );
}

/** The other end left before the handshake was over. */
export function closedEarly(
  settings: HandshakeSettings,
  turn: number,
  cause: RatholeError,
): RatholeError {
  const { other, protocol } = about(settings);
  const why = turn === 0
    ? ""
    : `; it may have another key or another pattern than ${protocol}, which its log may tell`;
  return new RatholeError(
    "closed",
    `in the noise handshake with the ${other}, ${cause.message}${why}`,
    {
      cause,
    },
  );
}

/** What the first two bytes of other protocols are; the lengths that they would be are too large
 * or too small for any handshake message here. */
function otherProtocol(header: Uint8Array): string | undefined {
  const [first = 0, second = 0] = header;
  if (first === 0 && second === 0) return "plain rathole (tcp)";
  if ((first === 0x16 || first === 0x15) && second === 3) return "TLS";
  const isCapital = (byte: number) => byte >= 0x41 && byte <= 0x5a;
  if (!isCapital(first) || !isCapital(second)) return undefined;
  const start = String.fromCharCode(first, second);
  return start === "SS" ? "SSH" : "HTTP, or something like it";
}

function about({ initiator, protocol }: HandshakeSettings) {
  const [own, other] = initiator ? ["client", "server"] : ["server", "client"];
  return { own, other, protocol };
}

function ordinal(turn: number): string {
  return ["first", "second", "third", "fourth", "fifth"][turn] ?? `${turn + 1}th`;
}
