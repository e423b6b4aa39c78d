import assert from "node:assert/strict";
import { RatholeError } from "../../src/runtime/errors.ts";
import type { Incoming } from "../../src/transport/transport.ts";
import { Certificates } from "../support/certificates.ts";
import { pattern } from "../support/connection_contract.ts";
import { countable, descriptors } from "../support/descriptors.ts";
import { eventually, pause, soon } from "../support/patience.ts";
import { ANYWHERE } from "../support/tcp_pair.ts";
import { tlsClient, tlsServer } from "../support/tls_pair.ts";

const forever = new AbortController().signal;
const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ca = await made.ca("ca");
const own = await made.signed(ca);
const mine = await made.signed(ca, { usage: "client" });
const trusting = { trusted_root: ca.certificate };

Deno.test("what does not speak TLS is told apart, at both ends", async (t) => {
  const server = await tlsServer({ ...own });
  for (
    const bytes of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\0\0\0\0\x01hello, a plain tunnel's"]
  ) {
    await t.step(`a server hears ${JSON.stringify(bytes.slice(0, 5))}`, async () => {
      using listener = server.bind(ANYWHERE);
      using plain = await Deno.connect({ ...listener.address });
      const incoming = await listener.accept();
      await plain.write(new TextEncoder().encode(bytes));
      await assert.rejects(soon("a refusal", incoming.handshake()), {
        code: "protocol",
        message: /does not speak TLS; does it use transport\.type = "tls"/,
      });
    });
  }
  for (
    const [what, answer, code, message] of [
      ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "protocol", /does not answer in TLS/],
      ["nothing", "", "closed", /closed the connection during the TLS handshake/],
    ] as const
  ) {
    await t.step(`a client hears ${what}`, async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const answering = (async () => {
        using socket = await listener.accept();
        await socket.read(new Uint8Array(2000));
        await socket.write(new TextEncoder().encode(answer));
      })();
      const connecting = (await tlsClient(trusting)).connect(listener.addr, { signal: forever });
      await assert.rejects(soon("a refusal", connecting), { code, message });
      await answering;
    });
  }
});

Deno.test("silent peers: an abort frees the descriptor at once", {
  ignore: !countable,
}, async () => {
  const server = await tlsServer({ ...own });
  using listener = server.bind(ANYWHERE);
  const count = 50;
  const clients: Deno.TcpConn[] = [];
  const incomings: Incoming[] = [];
  for (let i = 0; i < count; i++) {
    clients.push(await Deno.connect({ ...listener.address }));
    incomings.push(await listener.accept());
  }
  const reason = new RatholeError("timeout", "too slow");
  // Some say nothing at all, some stop in the middle, of some the handshake was never started.
  for (const client of clients.slice(0, 20)) await client.write(Uint8Array.of(22, 3, 1, 1));
  const handshakes = incomings.slice(0, 40).map((it) => assert.rejects(it.handshake(), reason));
  await pause(0);
  const before = await descriptors();
  for (const incoming of incomings) {
    incoming.abort(reason);
    incoming.abort(new Error("again"));
  }
  await eventually("descriptors", descriptors, (now) => before - now === count);
  await Promise.all(handshakes);
  for (const client of clients) client.close();
});

Deno.test("a silent server: the signal ends the attempt and frees the descriptor", {
  ignore: !countable,
}, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (const tls of [trusting, { ...trusting, ...mine }]) {
    const client = await tlsClient(tls);
    const before = await descriptors();
    const accepted: Deno.TcpConn[] = [];
    for (let i = 0; i < 10; i++) {
      const stop = new AbortController();
      const attempt = client.connect(listener.addr, { signal: stop.signal });
      const socket = await listener.accept();
      accepted.push(socket);
      await socket.read(new Uint8Array(4));
      const reason = new RatholeError("timeout", "too slow");
      stop.abort(reason);
      await assert.rejects(soon("the end", attempt), reason);
    }
    // One kept by the engine that is given up then, at most.
    await eventually("descriptors", descriptors, (now) => now <= before + 10 + 1);
    for (const socket of accepted) socket.close();
  }
});

Deno.test("a stream that is cut without close_notify is `closed`, after its bytes", async () => {
  const server = await tlsServer({ ...own });
  const client = await tlsClient(trusting);
  using listener = server.bind(ANYWHERE);
  using front = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = client.connect(front.addr, { signal: forever });
  const near = await front.accept();
  const far = await Deno.connect({ ...listener.address });
  const passing = [
    near.readable.pipeTo(far.writable, { preventClose: true }).catch(() => {}),
    far.readable.pipeTo(near.writable, { preventClose: true }).catch(() => {}),
  ];
  const accepted = await (await listener.accept()).handshake();
  const connected = await connecting;
  await connected.write(pattern(100));
  await accepted.write(pattern(100));
  assert.deepEqual(await accepted.read(), pattern(100));
  assert.deepEqual(await connected.read(), pattern(100));
  near.close();
  far.close();
  await assert.rejects(accepted.read(), { code: "closed", message: /close_notify/ });
  await assert.rejects(connected.read(), { code: "closed", message: /close_notify/ });
  await Promise.all(passing);
  accepted.abort();
  connected.abort();
});
