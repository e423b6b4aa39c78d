import assert from "node:assert/strict";
import { NOISE_PATTERNS } from "../config/noise_pattern.ts";
import { HandshakeState, MOST_MESSAGE } from "./handshake_state.ts";
import { messageLengths, PATTERNS } from "./patterns.ts";
import { openSuite } from "./suite.ts";

const NOTHING = new Uint8Array(0);
const suite = await openSuite({ dh: "25519", cipher: "ChaChaPoly", hash: "BLAKE2s" });
const local = suite.dh.generate();

function pair(name: string, keys: { readonly known?: boolean } = {}) {
  const pattern = PATTERNS.get(name);
  assert.ok(pattern !== undefined);
  const remote = keys.known === false ? undefined : local.publicKey;
  const common = {
    protocol: `Noise_${name}_25519_ChaChaPoly_BLAKE2s`,
    pattern,
    suite,
    local,
    remote,
  };
  return [true, false].map((initiator) => () => new HandshakeState({ ...common, initiator }));
}

function start(name: string): [HandshakeState, HandshakeState] {
  const [first, second] = pair(name);
  assert.ok(first !== undefined && second !== undefined);
  return [first(), second()];
}

Deno.test("the tables have the patterns that a configuration may name", () => {
  assert.deepEqual([...PATTERNS.keys()].sort(), [...NOISE_PATTERNS].sort());
});

Deno.test("message lengths with empty payloads", () => {
  const lengths = (name: string, bytes: number) => {
    const pattern = PATTERNS.get(name);
    return pattern && messageLengths(pattern, bytes);
  };
  assert.deepEqual(lengths("NN", 32), [32, 48]);
  assert.deepEqual(lengths("NK", 32), [48, 48]);
  assert.deepEqual(lengths("XX", 32), [32, 96, 64]);
  assert.deepEqual(lengths("IK", 56), [56 + 72 + 16, 72]);
  assert.deepEqual(lengths("X1X1", 32), [32, 96, 64, 16]);
});

Deno.test("a key that is known beforehand must be there", () => {
  for (const [name, end] of [["NK", 0], ["KN", 1], ["KK1", 0], ["I1K1", 0]] as const) {
    const create = pair(name, { known: false })[end];
    assert.ok(create !== undefined);
    assert.throws(create, { code: "config", message: /other end's public key, which is missing/ });
  }
});

Deno.test("nobody speaks out of turn, or splits before the end", () => {
  const [first, second] = start("NN");
  assert.throws(() => second.writeMessage(NOTHING), /out of turn/);
  assert.throws(() => first.readMessage(new Uint8Array(32)), /out of turn/);
  assert.throws(() => first.split(), /out of turn/);
  second.readMessage(first.writeMessage(NOTHING));
  assert.throws(() => first.writeMessage(NOTHING), /out of turn/);
  first.readMessage(second.writeMessage(NOTHING));
  assert.throws(() => second.writeMessage(NOTHING), /out of turn/);
  assert.deepEqual(first.hash, second.hash);
});

Deno.test("a message cut at any byte is refused", () => {
  for (const name of ["NK", "XX", "IX1"]) {
    const length = start(name)[0].writeMessage(NOTHING).length;
    for (let cut = 0; cut < length; cut++) {
      const [first, second] = start(name);
      const message = first.writeMessage(NOTHING).subarray(0, cut);
      assert.throws(() => second.readMessage(message), { name: "RatholeError" }, `${name} ${cut}`);
    }
  }
});

Deno.test("a message does not outgrow Noise's limit", () => {
  const [first, second] = start("NN");
  const most = new Uint8Array(MOST_MESSAGE - 32);
  assert.equal(second.readMessage(first.writeMessage(most)).length, most.length);
  const more = new Uint8Array(MOST_MESSAGE - 31);
  assert.throws(() => start("NN")[0].writeMessage(more), { code: "limit" });
});

Deno.test("a lent message may change once it was read", () => {
  const [first, second] = start("XX");
  const message = first.writeMessage(NOTHING);
  second.readMessage(message);
  message.fill(0);
  const answer = second.writeMessage(NOTHING);
  first.readMessage(answer);
  answer.fill(0);
  second.readMessage(first.writeMessage(NOTHING));
  assert.deepEqual(first.hash, second.hash);
  assert.deepEqual(first.remoteStatic, local.publicKey);
});
