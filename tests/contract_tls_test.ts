import { Certificates } from "./support/certificates.ts";
import { connectionContract, type Doomed } from "./support/connection_contract.ts";
import { CutRelay } from "./support/cut_relay.ts";
import { ANYWHERE } from "./support/tcp_pair.ts";
import type { Transport } from "../src/transport/transport.ts";
import { tlsClient, tlsPair, tlsServer } from "./support/tls_pair.ts";

await using certificates = await Certificates.make();
const ca = await certificates.ca("ca");
const server = await tlsServer(await certificates.signed(ca));
const client = await tlsClient({ trusted_root: ca.certificate });

/** Relays of connections that were reset, which are on their way out. */
const closing: Promise<void>[] = [];
Deno.test.afterAll(async () => void await Promise.all(closing));

/** One end of a connection in use, which a relay in between resets. */
async function doomed(
  end: "server" | "client",
  server: Transport,
  client: Transport,
): Promise<Doomed> {
  using listener = server.bind(ANYWHERE);
  const relay = await CutRelay.to(listener.address);
  const link = relay.expect({ direction: "up", after: Infinity, how: "RST" });
  const { signal } = new AbortController();
  const [near, far] = await Promise.all([
    client.connect(relay.address, { signal }),
    listener.accept().then((incoming) => incoming.handshake()),
  ]);
  for (const [from, to] of [[near, far], [far, near]] as const) {
    await from.write(Uint8Array.of(1));
    await to.read();
  }
  const [connection, other] = end === "client" ? [near, far] : [far, near];
  return {
    connection,
    reset() {
      link.cut();
      other.abort();
      closing.push(relay[Symbol.asyncDispose]());
    },
  };
}

for (const end of ["client", "server"] as const) {
  connectionContract(`tls, reset at the ${end}`, () => tlsPair(server, client), {
    makeDoomed: () => doomed(end, server, client),
  });
}

const judging = await tlsServer({
  ...await certificates.signed(ca),
  client_ca: ca.certificate,
});
const showing = await tlsClient({
  trusted_root: ca.certificate,
  ...await certificates.signed(ca, { usage: "client" }),
});
connectionContract("tls with a client certificate, reset", () => tlsPair(judging, showing), {
  makeDoomed: () => doomed("client", judging, showing),
});
