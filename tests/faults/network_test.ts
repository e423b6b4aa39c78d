/**
 * Networks that lose, delay, reorder and squeeze what is sent: not one byte may be corrupt.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run; root, iproute2 and
 * nftables for all but the relays
 *
 * @module
 */

import { equal, ok } from "node:assert/strict";
import { askDatagram, udpEcho, udpSocket } from "../support/datagrams.ts";
import { distant, distantServer, doorOf } from "../support/distant.ts";
import { type InteropTransport, TRANSPORTS } from "../support/interop_transports.ts";
import {
  ask,
  bytesOf,
  digest,
  echoed,
  echoService,
  noise,
  readToEnd,
  type TcpService,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { ignore, missing, Namespace } from "../support/namespace.ts";
import { eventually, pause, soon } from "../support/patience.ts";
import { startProgram } from "../support/child.ts";
import { slowDatagrams, slowRelay } from "../support/slow_relay.ts";
import { formatAddress } from "../../src/runtime/address.ts";

const IN_NAMESPACE = { ignore, timeout: 90_000 };
/** Visitors at once, and what each sends and gets back. */
const STREAMS = 4;
const LENGTH = 200_000;
const LONG = 60_000;
const DELAY = { mean: 200, spread: 50 };

/** One row for each transport, whatever key exchange. */
const ROWS = ["tcp", "noise NK", "tls", "websocket", "websocket, tls"].map((name) => {
  const found = TRANSPORTS.find((transport) => transport.name === name);
  if (found === undefined) throw new Error(`no transport ${name}`);
  return found;
});

/** Several visitors at once, each with bytes of its own, in both directions at once. */
async function exchange(door: { hostname: string; port: number }): Promise<void> {
  await Promise.all(Array.from({ length: STREAMS }, async (_, i) => {
    const question = noise(LENGTH + i, i + 1);
    const reply = await echoed(door, question, LONG);
    equal(await digest(reply), await digest(question), `visitor ${i}`);
  }));
}

/** A tunnel into a namespace, over a transport. */
async function into(
  namespace: Namespace,
  transport: InteropTransport,
  local: TcpService["address"],
) {
  await using made = new AsyncDisposableStack();
  const { options: { client, server } } = made.use(await transport.settings());
  const tunnel = made.use(
    await distant({
      at: `${namespace.outside[0]}:0`,
      local,
      ...(client !== undefined && { client }),
      ...(server !== undefined && { server }),
      start: (config) => namespace.startOurs(config),
    }),
  );
  const all = made.move();
  return { tunnel, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

for (const transport of ROWS) {
  Deno.test(
    `${transport.name}: 5 % loss, ${STREAMS} visitors at once, ${LENGTH} bytes both ways: not one byte corrupt${missing}`,
    IN_NAMESPACE,
    async () => {
      await using namespace = await Namespace.make();
      await using local = echoService({ hostname: namespace.outside[0] });
      await using made = await into(namespace, transport, local.address);
      const { tunnel } = made;
      await namespace.lose(5, tunnel.server.address.port);
      const start = performance.now();
      await tunnel.check(() => exchange(tunnel.door));
      const took = performance.now() - start;
      const lost = await namespace.lost();
      ok(lost > 0, "nothing was lost");
      console.log(`  ${transport.name}: ${lost} packets lost, ${Math.round(took)} ms`);
    },
  );
}

for (const transport of ROWS.filter(({ name }) => name === "tcp" || name === "websocket, tls")) {
  Deno.test(
    `${transport.name}: a link of 8 Mbit/s, ${STREAMS} visitors at once: not one byte corrupt, and a fifth's byte comes within 9 s${missing}`,
    IN_NAMESPACE,
    async () => {
      await using namespace = await Namespace.make();
      await using local = echoService({ hostname: namespace.outside[0] });
      await using made = await into(namespace, transport, local.address);
      const { tunnel } = made;
      await namespace.narrow("8mbit");
      let over = false;
      const bulk = tunnel.check(() => exchange(tunnel.door)).finally(() => over = true);
      // Somebody else's single byte must get through beside them.
      let worst = 0;
      await Promise.all([
        bulk,
        (async () => {
          while (!over) {
            const since = performance.now();
            equal(textOf(await echoed(tunnel.door, bytesOf("!"), LONG)), "!");
            worst = Math.max(worst, performance.now() - since);
          }
        })(),
      ]);
      ok(worst < 9_000, `${worst} ms`);
      console.log(`  ${transport.name}: one byte beside bulk took ${Math.round(worst)} ms at most`);
    },
  );
}

Deno.test(
  `a half-close in each direction over 5 % loss: every byte of question and reply${missing}`,
  IN_NAMESPACE,
  async () => {
    const [question, reply] = [noise(LENGTH, 5), noise(LENGTH, 6)];
    await using namespace = await Namespace.make();
    const heard = Promise.withResolvers<string>();
    let early = false;
    await using local = tcpService(async (connection) => {
      if (early) {
        await writeAll(connection, reply);
        await connection.closeWrite();
        heard.resolve(await digest(await readToEnd(connection)));
      } else {
        equal(await digest(await readToEnd(connection)), await digest(question));
        await writeAll(connection, reply);
      }
    }, { hostname: namespace.outside[0] });
    const [tcp] = ROWS;
    if (tcp === undefined) throw new Error("unreachable");
    await using made = await into(namespace, tcp, local.address);
    const { tunnel } = made;
    await namespace.lose(5, tunnel.server.address.port);
    await tunnel.check(async () => {
      // The visitor ends first.
      equal(await digest(await ask(tunnel.door, question, LONG)), await digest(reply));
      // The service ends first.
      early = true;
      using visitor = await visit(tunnel.door);
      equal(await digest(await readToEnd(visitor)), await digest(reply));
      await writeAll(visitor, question);
      await visitor.closeWrite();
      equal(await soon("what the service read", heard.promise, LONG), await digest(question));
    });
    ok(await namespace.lost() > 0, "nothing was lost");
  },
);

Deno.test(
  `UDP over 5 % loss: each of 400 datagrams comes back as it was or is not there at all${missing}`,
  IN_NAMESPACE,
  async () => {
    await using namespace = await Namespace.make();
    await using local = await udpEcho({ hostname: namespace.outside[0] });
    await using tunnel = await distant({
      at: `${namespace.outside[0]}:0`,
      local: local.address,
      type: "udp",
      start: (config) => namespace.startOurs(config),
    });
    await tunnel.check(async () => {
      await namespace.lose(5, tunnel.server.address.port);
      await using visitor = await udpSocket();
      await askDatagram(visitor, bytesOf("first"), tunnel.door);
      const sent = new Map(
        Array.from({ length: 400 }, (_, i) => [String(i), noise(8 + 3 * i, i + 1)] as const),
      );
      for (const [id, payload] of sent) {
        await visitor.send(Uint8Array.of(...bytesOf(id.padStart(4)), ...payload), tunnel.door);
        await pause(1);
      }
      const dropped = () => tunnel.server.status().services[0]?.datagramsDropped ?? 0;
      const seen = new Set<string>();
      await eventually(
        "all replies",
        () => {
          for (const { payload } of takeAll(visitor)) {
            if (textOf(payload) === "first") continue;
            const id = textOf(payload.subarray(0, 4)).trim();
            equal(payload.subarray(4).toHex(), sent.get(id)?.toHex(), `datagram ${id}`);
            seen.add(id);
          }
          return seen.size + dropped();
        },
        (count) => count >= 400,
        LONG,
      );
      console.log(`  ${seen.size} of 400 came back, ${dropped()} were counted as dropped`);
      ok(seen.size >= 300, `${seen.size}`);
    });
    ok(await namespace.lost() > 0, "nothing was lost");
  },
);

for (const transport of ROWS) {
  Deno.test(
    `${transport.name}: 200 ± 50 ms each way, ${STREAMS} visitors at once: not one byte corrupt`,
    {
      timeout: 60_000,
    },
    async () => {
      await using settings = await transport.settings();
      const { client, read = [], server } = settings.options;
      await using local = echoService();
      await using all = new AsyncDisposableStack();
      await using tunnel = await distant({
        at: "127.0.0.1:0",
        local: local.address,
        ...(client !== undefined && { client }),
        ...(server !== undefined && { server }),
        remote: (address) => formatAddress(all.use(slowRelay(address, DELAY)).address),
        start: (config) =>
          startProgram({
            config,
            allow: ["--allow-net=127.0.0.1", ...read.map((path) => `--allow-read=${path}`)],
            log: "debug",
          }),
      });
      await tunnel.check(() => exchange(tunnel.door));
    },
  );
}

Deno.test("UDP by a path of 200 ± 50 ms that reorders: every datagram once, as it was", {
  timeout: 60_000,
}, async () => {
  await using local = await udpEcho();
  await using tunnel = await distant({
    at: "127.0.0.1:0",
    local: local.address,
    type: "udp",
    start: (config) => startProgram({ config, allow: ["--allow-net=127.0.0.1"] }),
  });
  await using path = await slowDatagrams(tunnel.door, DELAY);
  await using visitor = await udpSocket();
  await askDatagram(visitor, bytesOf("first"), path.address);
  const payload = (i: number) => Uint8Array.of(i >> 8, i & 0xff, ...noise(200 + i, i + 1));
  for (let i = 0; i < 200; i++) {
    await visitor.send(payload(i), path.address);
    await pause(2);
  }
  const seen = new Set<number>();
  await eventually("all replies", () => {
    for (const { payload: came } of takeAll(visitor)) {
      if (textOf(came) === "first") continue;
      const id = (came[0] ?? 0) * 256 + (came[1] ?? 0);
      equal(came.toHex(), payload(id).toHex());
      ok(!seen.has(id), `datagram ${id} came twice`);
      seen.add(id);
    }
    return seen.size;
  }, (count) => count === 200);
  ok(path.overtaken > 20, `${path.overtaken} overtook another`);
});

Deno.test(
  `the server's name comes to mean another address: the client is there within 15 s of the loss${missing}`,
  IN_NAMESPACE,
  async () => {
    await using namespace = await Namespace.make();
    await using local = echoService({ hostname: namespace.outside[0] });
    const [first, second] = namespace.outside;
    await namespace.setHosts({ "server.test": first });
    await using tunnel = await distant({
      at: `${first}:0`,
      local: local.address,
      remote: ({ port }) => `server.test:${port}`,
      start: (config) => namespace.startOurs(config),
    });
    await tunnel.check(async () => {
      equal(textOf(await ask(tunnel.door, bytesOf("here"))), "here");
      const { port } = tunnel.server.address;
      await using moved = await distantServer({ at: `${second}:${port}` });
      await namespace.setHosts({ "server.test": second });
      const since = performance.now();
      await tunnel.server[Symbol.asyncDispose]();
      const door = await doorOf(moved);
      console.log(`  there after ${Math.round(performance.now() - since)} ms`);
      equal(textOf(await ask(door, bytesOf("there"))), "there");
    });
  },
);

function takeAll<T>(from: { readonly waiting: readonly T[]; next(): Promise<T> }): readonly T[] {
  const all = [...from.waiting];
  for (const _ of all) void from.next();
  return all;
}
