/**
 * The real rathole 0.5.0 at either end, ours at the other, both run as production would: bytes
 * and datagrams.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import {
  ask,
  bytesOf,
  digest,
  echoService,
  noise,
  readBytes,
  readToEnd,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { ignore, missing, PAIRINGS, startPair } from "./support/peer.ts";

const NOTHING = new Uint8Array(0);
const SIZES = [0, 1, 511, 1400, 2047, 2048];

for (const pairing of PAIRINGS) {
  const title = `server ${pairing.server}, client ${pairing.client}`;

  Deno.test(`${title}: TCP bytes, half-closes, 100 visitors${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    const reply = noise(2 << 20, 2);
    const { promise: got, resolve } = Promise.withResolvers<string>();
    await using echo = echoService();
    await using late = tcpService(async (connection) => {
      const question = await readToEnd(connection);
      await writeAll(connection, bytesOf(String(question.length)));
      await writeAll(connection, reply);
    });
    await using early = tcpService(async (connection) => {
      await writeAll(connection, bytesOf("goodbye"));
      await connection.closeWrite();
      const question = await readToEnd(connection);
      // The visitor that only looked whether the door is open asks nothing.
      if (question.length > 0) resolve(await digest(question));
    });
    await using pair = await startPair(pairing, {
      echo: { local: echo.address },
      late: { local: late.address },
      early: { local: early.address },
    });
    await pair.check(async (door) => {
      const question = noise(8 << 20);
      equal(await digest(await ask(door("echo"), question)), await digest(question));

      const answer = await ask(door("late"), noise(100_000));
      equal(textOf(answer.subarray(0, 6)), "100000");
      equal(await digest(answer.slice(6)), await digest(reply));

      using visitor = await visit(door("early"));
      equal(textOf(await readToEnd(visitor)), "goodbye");
      await writeAll(visitor, question);
      await visitor.closeWrite();
      equal(await got, await digest(question));

      const visitors = await Promise.all(Array.from({ length: 100 }, () => visit(door("echo"))));
      try {
        await Promise.all(visitors.map((visitor, i) => writeAll(visitor, noise(5000, i + 1))));
        const replies = await Promise.all(visitors.map((visitor) => readBytes(visitor, 5000)));
        for (const [i, bytes] of replies.entries()) deepEqual(bytes, noise(5000, i + 1));
      } finally {
        for (const visitor of visitors) visitor.close();
      }
    });
  });

  Deno.test(`${title}: datagrams of up to 2048 bytes${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    await using echo = await udpEcho();
    await using pair = await startPair(pairing, { it: { local: echo.address, type: "udp" } });
    await pair.check(async (door) => {
      await using all = new AsyncDisposableStack();
      const visitors = await Promise.all(Array.from({ length: 10 }, () => udpSocket()));
      for (const visitor of visitors) all.use(visitor);
      await Promise.all(visitors.map(async (visitor, i) => {
        const hello = bytesOf(`visitor ${i}`);
        deepEqual(await askDatagram(visitor, hello, door("it")), hello);
        // Answers to what was sent while the path was being set up.
        while (visitor.waiting.length > 0) deepEqual((await visitor.next()).payload, hello);
      }));
      for (const [i, visitor] of visitors.entries()) {
        for (const size of SIZES) {
          const payload = noise(size, 100 * i + size);
          await visitor.send(payload, door("it"));
          deepEqual((await visitor.next()).payload, payload, `${size} bytes`);
        }
      }
    });
  });

  Deno.test(`${title}: one file for both ends, TCP and UDP, odd names${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    const names = ["plain", "a.b", "constructor", "ünï ☃"];
    await using all = new AsyncDisposableStack();
    const locals = names.map((name) =>
      all.use(tcpService((connection) => writeAll(connection, bytesOf(name))))
    );
    await using echo = await udpEcho();
    const services = Object.fromEntries(
      names.map((name, i) => [name, { local: locals[i]?.address ?? echo.address }]),
    );
    await using pair = await startPair(pairing, {
      ...services,
      game: { local: echo.address, type: "udp" },
    }, { unified: true });
    await pair.check(async (door) => {
      for (const name of names) equal(textOf(await ask(door(name), NOTHING)), name);
      await using visitor = await udpSocket();
      equal(textOf(await askDatagram(visitor, bytesOf("?"), door("game"))), "?");
    });
  });
}
