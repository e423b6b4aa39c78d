/**
 * The contract over TLS 1.2, which a server of ours speaks with who has no more, and a client of
 * ours with a server that has no more.
 *
 * @module
 */

import { rejects } from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import { BufferStore } from "../src/net/buffers.ts";
import type { Connection } from "../src/net/connection.ts";
import { TcpListener } from "../src/net/tcp.ts";
import { SystemClock } from "../src/runtime/clock.ts";
import { LiveFiles } from "../src/transport/tls_files.ts";
import { TlsListener } from "../src/transport/tls_server.ts";
import type { Transport } from "../src/transport/transport.ts";
import { Certificates } from "./support/certificates.ts";
import { connectionContract } from "./support/connection_contract.ts";
import { ANYWHERE, socketOptions } from "./support/tcp_pair.ts";
import { tlsClient } from "./support/tls_pair.ts";

await using made = await Certificates.make();
const ca = await made.ca("ca");
const own = await made.signed(ca);
const events = { certificateRenewed() {}, certificateRefused() {}, certificateLifetime() {} };
const identity = {
  cert: await Deno.readTextFile(own.certificate),
  key: await Deno.readTextFile(own.private_key),
};
/** The engine of a server of ours, but for the version. */
const files = await LiveFiles.open(
  [],
  () => createServer({ ...identity, maxVersion: "TLSv1.2" }),
  events,
);
const client = await tlsClient({ trusted_root: ca.certificate });
const showing = await tlsClient({
  trusted_root: ca.certificate,
  ...await made.signed(ca, { usage: "client" }),
});

function listen(): TlsListener {
  return new TlsListener({
    tcp: new TcpListener(ANYWHERE, socketOptions()),
    files,
    buffers: new BufferStore(),
    clock: new SystemClock(),
  });
}

async function pair(client: Transport): Promise<[Connection, Connection]> {
  using listener = listen();
  const { signal } = new AbortController();
  return await Promise.all([
    client.connect(listener.address, { signal }),
    listener.accept().then((incoming) => incoming.handshake()),
  ]);
}

Deno.test("the server of this file has no TLS 1.3", async () => {
  using listener = listen();
  const { hostname: host, port } = listener.address;
  const refusal = listener.accept().then((incoming) => incoming.handshake());
  const visitor = connect({ host, port, rejectUnauthorized: false, minVersion: "TLSv1.3" });
  const failed = once(visitor, "error");
  await rejects(refusal, { code: "protocol", message: /share no TLS version/ });
  await failed;
  visitor.destroy();
});

connectionContract("tls 1.2", () => pair(client));
connectionContract("tls 1.2 with node:tls at both ends", () => pair(showing));
