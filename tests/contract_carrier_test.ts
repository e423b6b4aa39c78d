import assert from "node:assert/strict";
import type { Stream } from "../src/carrier/stream.ts";
import type { Connection } from "../src/net/connection.ts";
import { type CarrierPair, carrierPair } from "./support/carrier_pair.ts";
import { connectionContract } from "./support/connection_contract.ts";
import { memoryPair } from "./support/memory_connection.ts";
import { tcpPair } from "./support/tcp_pair.ts";
import { until } from "./support/turns.ts";

/** A stream, both its ends. */
async function openStream(pair: CarrierPair): Promise<readonly [Stream, Stream]> {
  const near = pair.begin();
  await until(() => pair.accepted.length === 1, "the stream is accepted");
  const [far] = pair.accepted;
  assert.ok(far);
  return [near, far];
}

const doomed = async () => {
  const [connection, other] = await openStream(carrierPair(memoryPair()));
  return { connection, reset: () => other.abort(new Error("cut")) };
};

connectionContract("a stream", () => openStream(carrierPair(memoryPair())), {
  makeDoomed: doomed,
});
connectionContract(
  "a stream in pieces",
  () => openStream(carrierPair(memoryPair({ capacity: 6000, readSize: 501 }))),
);
connectionContract(
  "a stream over tcp",
  async (): Promise<readonly [Connection, Connection]> => {
    const pair = carrierPair(await tcpPair());
    const streams = await openStream(pair);
    // Its carrier ends with it.
    pair.server.carrier.retire();
    pair.client.carrier.retire();
    return streams;
  },
);
connectionContract("a stream that has moved", async () => {
  const pair = carrierPair(memoryPair());
  const [near, far] = await openStream(pair);
  const [a, b] = memoryPair();
  near.moveTo({ connection: a });
  far.moveTo({ connection: b });
  await until(
    () => pair.server.carrier.streams === 0 && pair.client.carrier.streams === 0,
    "both carriers have forgotten it",
  );
  return [near, far];
});
