/**
 * Other people's test vectors, byte by byte, through both implementations.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type HandshakeSettings, HandshakeState, type Transport } from "./handshake_state.ts";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";
import { messageLengths, PATTERNS } from "./patterns.ts";
import { type KeyPair, type Provider, type Suite, TAG_BYTES } from "./primitives.ts";
import { suiteOf } from "./suite.ts";

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_ephemeral: string;
  readonly init_static?: string;
  readonly init_remote_static?: string;
  readonly resp_prologue: string;
  readonly resp_ephemeral: string;
  readonly resp_static?: string;
  readonly resp_remote_static?: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const FILE = new URL("../../tests/testdata/noise/cacophony.txt", import.meta.url);
const { vectors }: { vectors: Vector[] } = JSON.parse(await Deno.readTextFile(FILE));

function patternOf({ protocol_name }: Vector): string {
  return protocol_name.split("_")[1] ?? "";
}

const interactive = vectors.filter((vector) => PATTERNS.has(patternOf(vector)));

Deno.test("all vectors but the one-way and the pre-shared are used", () => {
  const left = vectors.filter((vector) => !interactive.includes(vector)).map(patternOf);
  for (const pattern of left) assert.match(pattern, /^[NKX]$|psk\d/);
  assert.equal(interactive.length, PATTERNS.size * 2 * 2 * 4);
});

for (
  const [name, provider] of [["node:crypto", nodeProvider], ["@noble", nobleProvider]] as const
) {
  for (const dh of ["25519", "448"]) {
    Deno.test(`${name} with ${dh} gives what the vectors say`, async () => {
      for (const vector of interactive) {
        if (vector.protocol_name.split("_")[2] === dh) await check(vector, provider);
      }
    });
  }
}

async function check(vector: Vector, provider: Provider): Promise<void> {
  const [, name = "", dh = "", cipher = "", hash = ""] = vector.protocol_name.split("_");
  const pattern = PATTERNS.get(name);
  assert.ok(pattern !== undefined);
  const suite = await suiteOf({ dh, cipher, hash }, provider, () => assert.fail("one will do"));
  const pair = (hex?: string) => hex === undefined ? undefined : suite.dh.keyPair(bytes(hex));
  const common = { protocol: vector.protocol_name, pattern };
  const initiator = new HandshakeState({
    ...common,
    suite: withEphemeral(suite, pair(vector.init_ephemeral)),
    initiator: true,
    prologue: bytes(vector.init_prologue),
    local: pair(vector.init_static),
    remote: maybe(vector.init_remote_static),
  });
  const responder = new HandshakeState({
    ...common,
    suite: withEphemeral(suite, pair(vector.resp_ephemeral)),
    initiator: false,
    prologue: bytes(vector.resp_prologue),
    local: pair(vector.resp_static),
    remote: maybe(vector.resp_remote_static),
  });
  const lengths = messageLengths(pattern, suite.dh.keyBytes);
  let ends: readonly [Transport, Transport] | undefined;
  for (const [i, { payload, ciphertext }] of vector.messages.entries()) {
    const where = `${vector.protocol_name}, message ${i}`;
    if (i < lengths.length) {
      const [writer, reader] = i % 2 === 0 ? [initiator, responder] : [responder, initiator];
      assert.deepEqual([writer.writes, reader.writes], [true, false], where);
      const message = writer.writeMessage(bytes(payload));
      assert.equal(message.toHex(), ciphertext, where);
      assert.equal(message.length, (lengths[i] ?? 0) + payload.length / 2, where);
      assert.equal(plain(reader.readMessage(message)), payload, where);
      continue;
    }
    assert.ok(initiator.finished && responder.finished, where);
    ends ??= [initiator.split(), responder.split()];
    const [writer, reader] = i % 2 === 0 ? ends : [ends[1], ends[0]];
    const sealed = new Uint8Array(payload.length / 2 + TAG_BYTES);
    writer.send.seal(bytes(payload), sealed, 0);
    assert.equal(sealed.toHex(), ciphertext, where);
    assert.equal(plain(reader.receive.open(sealed)), payload, where);
  }
  assert.ok(ends !== undefined);
  for (const end of [initiator, responder]) assert.equal(plain(end.hash), vector.handshake_hash);
  const known = (end: HandshakeState) => end.remoteStatic && plain(end.remoteStatic);
  assert.equal(known(initiator), pair(vector.resp_static)?.publicKey.toHex());
  assert.equal(known(responder), pair(vector.init_static)?.publicKey.toHex());
}

/** The suite with an ephemeral key that is none. */
function withEphemeral(suite: Suite, pair?: KeyPair): HandshakeSettings["suite"] {
  return { ...suite, dh: { ...suite.dh, generate: () => pair ?? assert.fail("no ephemeral") } };
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex);
}

function maybe(hex?: string): Uint8Array | undefined {
  return hex === undefined ? undefined : bytes(hex);
}

function plain(data: Uint8Array): string {
  return data.toHex();
}
