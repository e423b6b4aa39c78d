/**
 * The handshakes of Noise, and the frames behind them.
 *
 * @module
 */

import { CipherState } from "../../../src/noise/cipher_state.ts";
import { HandshakeState } from "../../../src/noise/handshake_state.ts";
import { nobleProvider } from "../../../src/noise/noble_provider.ts";
import { nodeProvider } from "../../../src/noise/node_provider.ts";
import { PATTERNS } from "../../../src/noise/patterns.ts";
import type { KeyPair, Provider, Suite } from "../../../src/noise/primitives.ts";
import { suiteOf } from "../../../src/noise/suite.ts";
import { SealedBuffers } from "../../../src/transport/noise_buffers.ts";
import { FrameOpener } from "../../../src/transport/noise_frames.ts";
import { concat, piecesOf, sameBytes } from "../engine/pieces.ts";
import { hashBytes } from "../engine/random.ts";
import { must, outcomeOf, proportional, shapeOf, sizeOf, type Target } from "../engine/target.ts";

const NAMES = [...PATTERNS.keys()];
const FIRST = { dh: "25519", cipher: "ChaChaPoly", hash: "BLAKE2s" };
const SUITES = [
  FIRST,
  { dh: "25519", cipher: "AESGCM", hash: "SHA256" },
  { dh: "448", cipher: "ChaChaPoly", hash: "SHA512" },
];
/** Bytes of an input before the message: the pattern, the functions, and whose turn it is. */
const HEADER = 3;
/** Public keys with which every secret is zero, and one that is not in its shortest form. */
const WEAK = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}ff`,
].map((hex) => Uint8Array.fromHex(hex));

/** The same keys, drawn in the same order, on every run. */
function fixed(suite: Suite): { suite: Suite; client: KeyPair; server: KeyPair } {
  const { dh } = suite;
  const of = (seed: number) => dh.keyPair(new Uint8Array(dh.keyBytes).fill(seed));
  const ephemeral = of(5);
  return {
    suite: { ...suite, dh: { ...dh, generate: () => ephemeral } },
    client: of(7),
    server: of(9),
  };
}

type Fixed = ReturnType<typeof fixed>;

/** Both ends of a handshake, `turn` messages into it. */
function played(name: string, { suite, client, server }: Fixed, turn: number) {
  const pattern = PATTERNS.get(name);
  must(pattern !== undefined, `no pattern ${name}`);
  const common = { protocol: `Noise_${name}`, pattern, suite };
  const ends = [
    new HandshakeState({
      ...common,
      initiator: true,
      local: client,
      remote: pattern.knownResponder ? server.publicKey : undefined,
    }),
    new HandshakeState({
      ...common,
      initiator: false,
      local: server,
      remote: pattern.knownInitiator ? client.publicKey : undefined,
    }),
  ] as const;
  const at = turn % pattern.messages.length;
  for (let i = 0; i < at; i++) {
    const [writer, reader] = i % 2 === 0 ? ends : [ends[1], ends[0]];
    reader.readMessage(writer.writeMessage(new Uint8Array(0)));
  }
  return { writer: ends[at % 2 === 0 ? 0 : 1], reader: ends[at % 2 === 0 ? 1 : 0] };
}

/** A message of any pattern, changed: refused, and by both implementations for the same reason. */
export async function noiseHandshakes(): Promise<Target> {
  const suites = await Promise.all(SUITES.map((name) => openBoth(name)));
  const read = (input: Uint8Array, by: "node" | "noble") => {
    const [pattern = 0, suite = 0, turn = 0] = input;
    const functions = suites[suite % suites.length]?.[by];
    must(functions !== undefined, "no suite");
    const { reader } = played(NAMES[pattern % NAMES.length] ?? "NN", functions, turn);
    const outcome = outcomeOf(
      ["untrusted", "protocol"],
      () => reader.readMessage(input.slice(HEADER)),
    );
    if (outcome.error !== undefined) return shapeOf(outcome.error);
    return `ok ${outcome.value.toHex()} ${reader.hash.toHex()}`;
  };
  const seeds = NAMES.flatMap((name, pattern) => {
    const { length } = PATTERNS.get(name)?.messages ?? [];
    return Array.from({ length }, (_, turn) => {
      const index = (pattern + turn) % 2;
      const functions = suites[index]?.node;
      must(functions !== undefined, "no suite");
      const { writer } = played(name, functions, turn);
      return concat([
        Uint8Array.of(pattern, index, turn),
        writer.writeMessage(new Uint8Array(pattern % 3)),
      ]);
    });
  });
  return {
    name: "noise-handshakes",
    seeds,
    tokens: WEAK,
    longest: 300,
    batch: 32,
    allowance: proportional,
    run(input) {
      const node = read(input, "node");
      // The portable functions take ten times as long.
      if (hashBytes(input) % 16 === 0) {
        const noble = read(input, "noble");
        must(node === noble, `${node} by node:crypto, ${noble} by noble`);
      }
      const [pattern = 0, , turn = 0] = input;
      const kind = node.startsWith("ok") ? "ok" : node;
      return `${NAMES[pattern % NAMES.length]} ${turn % 3} ${kind}`;
    },
  };
}

async function openBoth(name: typeof SUITES[number]) {
  const open = async (provider: Provider) =>
    fixed(await suiteOf(name, provider, () => Promise.resolve(nobleProvider)));
  return { node: await open(nodeProvider), noble: await open(nobleProvider) };
}

/** Sealed frames, changed and in whatever pieces: the same stream up to the same end. */
export async function noiseFrames(): Promise<Target> {
  const { cipher } = await suiteOf(FIRST, nodeProvider, () => Promise.resolve(nobleProvider));
  const key = new Uint8Array(32).fill(3);
  const buffers = new SealedBuffers();
  const sealed = (...lengths: number[]) => {
    const state = new CipherState(cipher, key);
    return concat(lengths.map((length) => {
      const frame = new Uint8Array(length + 18);
      frame.set([length + 16 & 255, length + 16 >> 8]);
      state.seal(new Uint8Array(length).fill(length), frame, 2);
      return frame;
    }));
  };
  const open = (chunks: readonly Uint8Array[]) => {
    const opener = new FrameOpener(new CipherState(cipher, key), buffers);
    const parts: Uint8Array[] = [];
    const { error } = outcomeOf(["untrusted", "protocol"], () => {
      for (const chunk of chunks) {
        opener.feed(chunk);
        for (let part = opener.next(); part !== undefined; part = opener.next()) {
          must(part.length > 0, "an empty part of the stream");
          parts.push(part.slice());
        }
        // What was lent is over now.
        chunk.fill(0xdd);
      }
    });
    const cut = error === undefined ? opener.end() : undefined;
    if (error !== undefined) opener.abandon();
    const shape = error === undefined ? cut?.code ?? "end" : shapeOf(error);
    return { stream: concat(parts), shape };
  };
  return {
    name: "noise-frames",
    seeds: [sealed(5), sealed(1, 0, 300, 20), sealed(0, 0, 0, 7), sealed(...Array(70).fill(0), 4)],
    tokens: [Uint8Array.of(16, 0), Uint8Array.of(15, 0), Uint8Array.of(255, 255), sealed(0)],
    batch: 64,
    allowance: (input) => proportional(input) + (1 << 20),
    run(input) {
      const whole = open([input.slice()]);
      const parts = open(piecesOf(input));
      must(whole.shape === parts.shape, `${whole.shape} in one piece, ${parts.shape} in many`);
      // Frames opened together with one that is bad are dropped with it.
      const common = parts.stream.subarray(0, whole.stream.length);
      must(sameBytes(common, whole.stream), "another stream in pieces");
      if (whole.shape === "end") must(sameBytes(parts.stream, whole.stream), "a lost part");
      return `${sizeOf(whole.stream.length)} ${whole.shape}`;
    },
  };
}
