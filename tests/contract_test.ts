import { connectionContract } from "./support/connection_contract.ts";
import { memoryPair } from "./support/memory_connection.ts";
import { doomedTcp, tcpPair } from "./support/tcp_pair.ts";

connectionContract("memory", () => Promise.resolve(memoryPair()), {
  makeDoomed: () => {
    const [connection, peer] = memoryPair();
    return Promise.resolve({ connection, reset: () => peer.reset() });
  },
});
connectionContract(
  "memory in drips",
  () => Promise.resolve(memoryPair({ capacity: 6000, readSize: 5000, slow: true })),
);
connectionContract("tcp", tcpPair, { makeDoomed: doomedTcp });
