import { Certificates } from "./support/certificates.ts";
import type { Connection } from "../src/net/connection.ts";
import { connectionContract } from "./support/connection_contract.ts";
import { type MemoryOptions, memoryPair } from "./support/memory_connection.ts";
import { tcpPair } from "./support/tcp_pair.ts";
import { tlsClient, tlsPair, tlsServer } from "./support/tls_pair.ts";
import { websocketOver } from "./support/websocket.ts";

const over = (options: MemoryOptions) => () => websocketOver<Connection>(memoryPair(options));

connectionContract("websocket", over({}), {
  makeDoomed: async () => {
    const pair = memoryPair();
    const [connection] = await websocketOver<Connection>(pair);
    return { connection, reset: () => pair[1].reset() };
  },
});
const drips: MemoryOptions = { capacity: 6000, readSize: 5000, slow: true };
connectionContract("websocket in drips", over(drips));
connectionContract("websocket over tcp", async () => await websocketOver(await tcpPair()));

await using certificates = await Certificates.make();
const ca = await certificates.ca("ca");
const server = await tlsServer(await certificates.signed(ca));
const client = await tlsClient({ trusted_root: ca.certificate });
connectionContract(
  "websocket over tls",
  async () => await websocketOver(await tlsPair(server, client)),
);
