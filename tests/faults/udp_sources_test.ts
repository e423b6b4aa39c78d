/**
 * A UDP service that more visitors talk to than anybody remembers.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { askDatagram, udpSocket } from "../support/datagrams.ts";
import { bytesOf } from "../support/local_services.ts";
import { pause } from "../support/patience.ts";
import { startPair } from "../support/peer.ts";
import { anonymousMemory, idle, openDescriptors, TIDY } from "../support/process.ts";

const SOURCES = 100_000;
const MIB = 1 << 20;
/** A source's number, and as much again as tells that nothing else got in. */
const LENGTH = 64;

function payloadOf(source: number): Uint8Array {
  const payload = new Uint8Array(LENGTH);
  new DataView(payload.buffer).setUint32(0, source);
  payload.fill(source % 251, 4);
  return payload;
}

/** Sends one datagram from each of so many addresses, at a pace that kernels keep up with. */
async function sendFromMany(to: Address, heard: () => number): Promise<void> {
  for (let source = 0; source < SOURCES; source++) {
    // All of 127.0.0.0/8 is this machine; a port from which somebody else sends is as good.
    const hostname = `127.${1 + (source >> 16)}.${source >> 8 & 255}.${source & 255}`;
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    await socket.send(payloadOf(source), { transport: "udp", ...to });
    socket.close();
    // What nobody has heard of after a while is lost, which UDP may.
    for (let ms = 0; ms < 20 && source - heard() > 500; ms++) await pause(1);
  }
}

Deno.test("UDP: 100,000 sources: exact bytes, the service lives, maps are bounded", {
  // Elsewhere 127.0.0.1 is the only address of its network.
  ignore: Deno.build.os !== "linux",
  timeout: 60_000,
}, async (t) => {
  let heard = 0;
  const wrong: Uint8Array[] = [];
  await using service = await udpSocket({}, ({ payload, from }, socket) => {
    heard++;
    if (payload.length !== LENGTH) {
      // Not one of the many: who asks gets it back.
      socket.send(payload, from).catch(() => {});
      return;
    }
    const source = new DataView(payload.buffer).getUint32(0);
    if (payload.some((byte, i) => byte !== payloadOf(source)[i])) wrong.push(payload);
  });
  await using pair = await startPair({ server: "ours", client: "ours" }, {
    it: { type: "udp", local: service.address },
  }, { env: TIDY });
  await pair.check(async (door) => {
    const { client, server } = pair;
    await using visitor = await udpSocket();
    deepEqual(await askDatagram(visitor, bytesOf("before"), door("it")), bytesOf("before"));
    const memory = () => Promise.all([server, client].map(({ pid }) => anonymousMemory(pid)));
    const before = await memory();
    const start = performance.now();
    await sendFromMany(door("it"), () => heard);
    const seconds = (performance.now() - start) / 1000;
    deepEqual(await askDatagram(visitor, bytesOf("after"), door("it")), bytesOf("after"));
    equal(wrong.length, 0, Deno.inspect(wrong[0]));
    const after = await memory();
    const [atServer = 0, atClient = 0] = after.map((it, i) => (it - (before[i] ?? 0)) / MIB);
    const sockets = await openDescriptors(client.pid);
    await t.step(
      `${heard} arrived in ${seconds.toFixed(1)} s; server +${atServer.toFixed(0)} MiB, client ` +
        `+${atClient.toFixed(0)} MiB and ${sockets} descriptors`,
      () => {
        ok(heard > SOURCES / 2);
        // 16,384 visitors at the server, 1,024 at the client, each of these with a socket.
        ok(atServer < 200 && atClient < 400);
        ok(sockets < 1024 + 200);
      },
    );
    await idle(server.pid, "the server");
    await idle(client.pid, "the client");
  });
});
