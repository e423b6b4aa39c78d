/**
 * The noise handshake: who is refused, why, and that nobody waits for ever.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  attempt,
  keysOf,
  type Layers,
  noiseLayers,
  overNoise,
  throughRelay,
} from "../../tests/support/noise_pair.ts";
import { memoryPair } from "../../tests/support/memory_connection.ts";
import { messageLengths, PATTERNS } from "../noise/patterns.ts";
import { RatholeError } from "../runtime/errors.ts";
import { Secret } from "../runtime/secret.ts";
import { openNoiseLayer } from "./noise.ts";

function protocolOf(pattern: string): string {
  return `Noise_${pattern}_25519_ChaChaPoly_BLAKE2s`;
}

/** Bytes of a whole handshake, lengths included. */
function bytesOf(name: string): number {
  const pattern = PATTERNS.get(name);
  assert.ok(pattern !== undefined);
  return messageLengths(pattern, 32).reduce((sum, length) => sum + 2 + length, 0);
}

/** A refusal: an error of ours at the end that noticed, an error or an end at the other. */
function assertRefused(outcomes: readonly unknown[], codes: RegExp, where: string): void {
  const noticed = outcomes.filter((outcome) =>
    outcome instanceof RatholeError && codes.test(outcome.code)
  );
  assert.ok(noticed.length > 0, `${where}: ${outcomes}`);
  for (const outcome of outcomes) {
    assert.ok(outcome === null || outcome instanceof RatholeError, `${where}: ${outcome}`);
  }
}

Deno.test("each pattern shakes hands and carries bytes", async () => {
  for (const name of PATTERNS.keys()) {
    const pair = memoryPair();
    const [a, b] = await overNoise(await noiseLayers(protocolOf(name)), pair);
    await a.write(Uint8Array.of(1));
    assert.deepEqual(await b.read(), Uint8Array.of(1), name);
    await b.write(Uint8Array.of(2));
    assert.deepEqual(await a.read(), Uint8Array.of(2), name);
    a.abort();
    b.abort();
  }
});

Deno.test("a handshake cut at any byte is `closed` at both ends", async () => {
  for (const name of ["NK", "XX", "IK", "X1X1"]) {
    const layers = await noiseLayers(protocolOf(name));
    for (let cut = 0; cut < bytesOf(name); cut++) {
      const where = `${name} cut after ${cut}`;
      assertRefused(await throughRelay(layers, { cutAfter: cut }), /^closed$/, where);
      const reset = memoryPair({ readSize: 1, cutAfter: cut + 1 });
      if (cut + 1 < bytesOf(name)) assertRefused(await attempt(layers, reset), /^closed$/, where);
    }
  }
});

Deno.test("a handshake with any byte changed is refused", async () => {
  for (const name of ["NN", "NK", "XX", "KK1", "I1X1"]) {
    const layers = await noiseLayers(protocolOf(name));
    assert.deepEqual(await throughRelay(layers, {}), ["ok", "ok"]);
    for (let at = 0; at < bytesOf(name); at++) {
      for (const mask of [0x01, 0x80]) {
        const outcomes = await throughRelay(layers, { flip: { at, mask } });
        assertRefused(outcomes, /^(untrusted|protocol)$/, `${name} byte ${at}`);
      }
    }
  }
});

Deno.test("another key than the pinned one is refused, and the message names both", async () => {
  for (const name of ["NX", "XX", "IX", "KX1", "NX1"]) {
    const other = await keysOf(protocolOf(name), 99);
    const shown = await keysOf(protocolOf(name), 9);
    const layers = await noiseLayers(protocolOf(name), {
      client: { remote_public_key: other.publicKey },
    });
    const [client, server] = await attempt(layers, memoryPair());
    assert.ok(client instanceof RatholeError && server !== "ok", name);
    assert.equal(client.code, "untrusted");
    assert.ok(client.message.includes(other.publicKey) && client.message.includes(shown.publicKey));
  }
  for (const name of ["XX", "IK", "X1N", "IX1"]) {
    const other = await keysOf(protocolOf(name), 99);
    const layers = await noiseLayers(protocolOf(name), {
      server: { remote_public_key: other.publicKey },
    });
    const [, server] = await attempt(layers, memoryPair());
    assert.ok(server instanceof RatholeError && server.code === "untrusted", name);
    assert.match(server.message, /the client has the public key .* on purpose, write the new one/);
  }
});

Deno.test("a wrong key that is known beforehand is refused with what to compare", async () => {
  for (const name of ["NK", "KK", "IK", "XK1", "K1K"]) {
    const other = await keysOf(protocolOf(name), 99);
    const layers = await noiseLayers(protocolOf(name), {
      client: { remote_public_key: other.publicKey },
    });
    const [client, server] = await attempt(layers, memoryPair());
    const [noticed, closed] = server instanceof RatholeError && server.code === "untrusted"
      ? [server, client]
      : [client, server];
    assert.ok(noticed instanceof RatholeError && noticed.code === "untrusted", name);
    assert.match(noticed.message, /does not decrypt.*remote_public_key/);
    assert.ok(closed instanceof RatholeError && closed.code === "closed", `${name}: ${closed}`);
  }
});

Deno.test("without a pin any key is taken where the pattern sends it", async () => {
  const layers = await noiseLayers(protocolOf("XX"), {
    client: { remote_public_key: undefined, local_private_key: undefined },
    server: { remote_public_key: undefined },
  });
  assert.deepEqual(await attempt(layers, memoryPair()), ["ok", "ok"]);
});

Deno.test("two patterns do not understand each other, and say so", async () => {
  const [client] = await noiseLayers(protocolOf("NN"));
  const [, server] = await noiseLayers(protocolOf("NK"));
  const [left, refused] = await attempt([client, server], memoryPair());
  assert.ok(refused instanceof RatholeError && refused.code === "protocol");
  assert.match(refused.message, /Noise_NK_.*first message has 32 bytes instead of 48/);
  assert.ok(left instanceof RatholeError && left.code === "closed");
  assert.match(left.message, /another key or another pattern than Noise_NN_/);
});

Deno.test("what speaks another protocol is named", async () => {
  const [client, server] = await noiseLayers(protocolOf("NK"));
  for (
    const [bytes, what] of [
      ["GET / HTTP/1.1\r\n\r\n", /does not speak noise but HTTP/],
      ["HTTP/1.1 400 Bad Request\r\n\r\n", /does not speak noise but HTTP/],
      ["\x16\x03\x01\x02\x00", /does not speak noise but TLS/],
      ["\x15\x03\x03\x00\x02", /does not speak noise but TLS/],
      ["SSH-2.0-x\r\n", /does not speak noise but SSH/],
      ["\0\0\0\0\x01", /does not speak noise but plain rathole/],
      ["\x99\x99", /does not speak Noise_NK_.* has 39321 bytes instead of 48/],
    ] as const
  ) {
    for (const initiates of [true, false]) {
      const [a, b] = memoryPair();
      await b.write(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
      const shaking = initiates ? client.initiate(a) : server.respond(a);
      await assert.rejects(shaking, { code: "protocol", message: what });
      a.abort();
    }
  }
});

Deno.test("random bytes are refused at either end", async () => {
  const layers: Layers = await noiseLayers(protocolOf("XX"));
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
    for (const [i, layer] of layers.entries()) {
      const [a, b] = memoryPair();
      await b.write(bytes);
      b.abort();
      const shaking = i === 0 ? layer.initiate(a) : layer.respond(a);
      await assert.rejects(shaking, {
        name: "RatholeError",
        code: /^(protocol|untrusted|closed)$/,
      });
      a.abort();
    }
  }));
});

Deno.test("a configuration that cannot work is `config`, and shows no private key", async () => {
  const key = "A".repeat(43) + "=";
  const private_ = new Uint8Array(31).fill(0xab).toBase64();
  for (
    const [config, what] of [
      [{ pattern: protocolOf("N") }, /transport\.noise\.pattern names the one-way pattern/],
      [{ pattern: protocolOf("NKpsk0") }, /pattern asks for a pre-shared key/],
      [{ pattern: protocolOf("NK"), remote_public_key: "no" }, /remote_public_key is 1 bytes/],
      [{ pattern: protocolOf("NK"), remote_public_key: key }, /no secret can be shared with/],
      [
        { pattern: protocolOf("KK"), local_private_key: new Secret(private_) },
        /local_private_key is 31 bytes/,
      ],
    ] as const
  ) {
    await assert.rejects(openNoiseLayer(config, "client"), (error: Error) => {
      assert.ok(error instanceof RatholeError && error.code === "config");
      assert.match(error.message, what);
      assert.ok(!Deno.inspect(error).includes(private_));
      return true;
    });
  }
});

Deno.test("a missing key of this end is made, one for as long as the layer", async () => {
  const layers = await noiseLayers(protocolOf("NX"), {
    client: { remote_public_key: undefined },
    server: { local_private_key: undefined },
  });
  for (let i = 0; i < 2; i++) assert.deepEqual(await attempt(layers, memoryPair()), ["ok", "ok"]);
  const pinned = await noiseLayers(protocolOf("NX"), { server: { local_private_key: undefined } });
  const [client] = await attempt(pinned, memoryPair());
  assert.ok(client instanceof RatholeError && client.code === "untrusted");
});
