import assert from "node:assert/strict";
import fc from "fast-check";
import { RatholeError } from "../runtime/errors.ts";
import * as messages from "./messages.ts";

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const code = (expected: string) => (error: unknown) =>
  error instanceof RatholeError && error.code === expected;

Deno.test("the bytes of every message are those of bincode 1", () => {
  const digest = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
  const digestHex = digest.toHex();
  const hex = (bytes: Uint8Array) => bytes.toHex();
  assert.equal(hex(messages.encodeHello({ kind: "control", digest })), `0000000001${digestHex}`);
  assert.equal(hex(messages.encodeHello({ kind: "data", digest })), `0100000001${digestHex}`);
  assert.deepEqual(
    (["ok", "service-unknown", "auth-failed"] as const).map((ack) => hex(messages.encodeAck(ack))),
    ["00000000", "01000000", "02000000"],
  );
  assert.equal(hex(messages.encodeControlCommand("create-data-channel")), "00000000");
  assert.equal(hex(messages.encodeControlCommand("heartbeat")), "01000000");
  assert.equal(hex(messages.encodeDataCommand("forward-tcp")), "00000000");
  assert.equal(hex(messages.encodeDataCommand("forward-udp")), "01000000");
});

Deno.test("what two of ours say besides has tags that 0.5.0 does not know", () => {
  const digest = new Uint8Array(32).fill(7);
  const hello = messages.encodeHello({ kind: "carrier", digest });
  assert.equal(hello.toHex(), `0200000001${digest.toHex()}`);
  assert.equal(messages.encodeControlCommand({ carriers: 8 }).toHex(), "02080000");
  assert.equal(messages.encodeContinue(0x01020304).toHex(), "0200000004030201");
  const number = messages.encodeContinue(0xffff_fffe).subarray(4);
  assert.equal(messages.decodeStreamNumber(number), 0xffff_fffe);
});

Deno.test("what is encoded decodes to itself", () => {
  fc.assert(fc.property(fc.constantFrom("control", "data", "carrier"), digest, (kind, digest) => {
    const decoded = messages.decodeHello(messages.encodeHello({ kind, digest }));
    assert.deepEqual(decoded, { kind, digest });
  }));
  for (const ack of ["ok", "service-unknown", "auth-failed"] as const) {
    assert.equal(messages.decodeAck(messages.encodeAck(ack)), ack);
  }
  for (const command of ["create-data-channel", "heartbeat", { carriers: 255 }] as const) {
    assert.deepEqual(
      messages.decodeControlCommand(messages.encodeControlCommand(command)),
      command,
    );
  }
  for (const command of ["forward-tcp", "forward-udp", "continue"] as const) {
    assert.equal(messages.decodeDataCommand(messages.encodeDataCommand(command)), command);
  }
});

Deno.test("a decoded digest does not change with the buffer it was read from", () => {
  const bytes = messages.encodeHello({ kind: "data", digest: new Uint8Array(32).fill(7) });
  const { digest } = messages.decodeHello(bytes);
  bytes.fill(0);
  assert.deepEqual(digest, new Uint8Array(32).fill(7));
});

Deno.test("any other bytes are refused as such, never with another error", () => {
  const decoders = [
    messages.decodeHello,
    messages.decodeAck,
    messages.decodeControlCommand,
    messages.decodeDataCommand,
  ];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    for (const decode of decoders) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(code("protocol")(error) || code("version")(error));
      }
    }
  }));
  assert.throws(() => messages.decodeAck(Uint8Array.of(3, 0, 0, 0)), code("protocol"));
  assert.throws(() => messages.decodeAck(Uint8Array.of(0, 0, 0, 1)), code("protocol"));
  assert.throws(() => messages.decodeHello(new Uint8Array(36)), code("protocol"));
});

Deno.test("another protocol version is told apart from garbage, and common strangers are named", () => {
  const hello = messages.encodeHello({ kind: "control", digest: new Uint8Array(32) });
  hello[4] = 2;
  assert.throws(() => messages.decodeHello(hello), code("version"));
  const stranger = (text: string) =>
    new TextEncoder().encode(text.padEnd(messages.HELLO_LENGTH)).subarray(0, 37);
  assert.throws(() => messages.decodeHello(stranger("GET / HTTP/1.1\r\n")), /an HTTP request/);
  assert.throws(() => messages.decodeHello(stranger("HTTP/1.1 400 Bad")), /an HTTP reply/);
  assert.throws(() => messages.decodeHello(stranger("\x16\x03\x01")), /a TLS handshake/);
  assert.throws(() => messages.decodeHello(stranger("SSH-2.0-x")), /an SSH greeting/);
});
