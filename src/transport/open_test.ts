import assert from "node:assert/strict";
import type { ClientOptions } from "../config/options.ts";
import { validateClientConfig } from "../config/validate.ts";
import { BufferStore } from "../net/buffers.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { Family } from "../net/resolve.ts";
import { openTransport } from "./open.ts";

function open(transport: ClientOptions["transport"], prefer?: Family) {
  const config = validateClientConfig({ remote_addr: "127.0.0.1:1", services: {}, transport });
  return openTransport("client", config.transport, {
    buffers: new BufferStore(),
    clock: new SystemClock(),
    prefer,
    events: { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} },
  });
}

const forever = new AbortController().signal;

Deno.test("plain TCP connects and accepts; its handshake is over at once", async () => {
  for (const prefer of ["any", "ipv6"] as const) {
    const transport = await open(undefined, prefer);
    using listener = transport.bind({ hostname: "127.0.0.1", port: 0 });
    const to = { hostname: "localhost", port: listener.address.port };
    using connection = await transport.connect(to, { signal: forever, nodelay: true });
    const incoming = await listener.accept();
    using accepted = await incoming.handshake();
    assert.deepEqual(incoming.peer, accepted.peer);
    await connection.write(Uint8Array.of(1, 2, 3));
    assert.deepEqual(await accepted.read(), Uint8Array.of(1, 2, 3));
    incoming.abort(new Error("ended"));
    await assert.rejects(accepted.read(), { message: "ended" });
  }
});

Deno.test("an address found before is dialled without a look-up of the name", async () => {
  const transport = await open(undefined);
  using listener = transport.bind({ hostname: "127.0.0.1", port: 0 });
  const to = { hostname: "no-such-host.invalid", port: 1 };
  using _connection = await transport.connect(to, { signal: forever, at: listener.address });
  const incoming = await listener.accept();
  incoming.abort();
});

Deno.test("an aborted attempt rejects with the reason, whichever family is preferred", async () => {
  const reason = new Error("not wanted");
  for (const prefer of ["any", "ipv6"] as const) {
    const transport = await open(undefined, prefer);
    const attempt = transport.connect(
      { hostname: "localhost", port: 1 },
      { signal: AbortSignal.abort(reason) },
    );
    await assert.rejects(attempt, reason);
  }
});

Deno.test("a proxy is gone through by a client, and means nothing to a server", async () => {
  const proxy = "http://a%3Ab:hunter2@127.0.0.1:1";
  await assert.rejects(
    open({ tcp: { proxy } }),
    (error: Error) => /user name has a colon/.test(error.message) && !/hunter2/.test(error.message),
  );
  const config = validateClientConfig({
    remote_addr: "127.0.0.1:1",
    services: {},
    transport: { tcp: { proxy } },
  });
  await openTransport("server", config.transport, {
    buffers: new BufferStore(),
    clock: new SystemClock(),
    events: { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} },
  });
});
