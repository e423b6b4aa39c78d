import { CipherState } from "../src/noise/cipher_state.ts";
import { openSuite } from "../src/noise/suite.ts";
import { SealedBuffers } from "../src/transport/noise_buffers.ts";
import { NoiseConnection } from "../src/transport/noise_connection.ts";
import { connectionContract } from "./support/connection_contract.ts";
import { memoryPair } from "./support/memory_connection.ts";
import { noiseLayers, overNoise } from "./support/noise_pair.ts";
import { doomedTcp, tcpPair } from "./support/tcp_pair.ts";

const chaCha = await noiseLayers("Noise_NK_25519_ChaChaPoly_BLAKE2s");
const aes = await noiseLayers("Noise_XX_25519_AESGCM_SHA256");

connectionContract("noise over memory", () => overNoise(chaCha, memoryPair()), {
  makeDoomed: async () => {
    const below = memoryPair();
    const [connection] = await overNoise(aes, below);
    return { connection, reset: () => below[1].reset() };
  },
});
connectionContract(
  "noise over memory in drips",
  () => overNoise(aes, memoryPair({ capacity: 6000, readSize: 5000, slow: true })),
);
connectionContract("noise over tcp", async () => await overNoise(chaCha, await tcpPair()), {
  makeDoomed: async () => {
    const { connection, reset } = await doomedTcp();
    // What resets speaks no Noise: as if hands were shaken before.
    const { cipher } = await openSuite({ dh: "25519", cipher: "ChaChaPoly", hash: "BLAKE2s" });
    const key = () => new CipherState(cipher, new Uint8Array(32));
    const keys = { send: key(), receive: key() };
    return { connection: new NoiseConnection(connection, keys, new SealedBuffers()), reset };
  },
});
