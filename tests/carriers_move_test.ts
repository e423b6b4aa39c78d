/**
 * Streams that move bulk, and go on over a data channel of their own: over every transport.
 *
 * Permissions: --allow-net=127.0.0.1, --allow-read and --allow-write for certificates
 *
 * @module
 */

import { deepEqual, equal } from "node:assert/strict";
import type { TransportOptions } from "../src/config/options.ts";
import { carried, carriedThrough, carriersBecome, guests } from "./support/carried.ts";
import { Certificates } from "./support/certificates.ts";
import {
  bytesOf,
  copy,
  digest,
  echoService,
  noise,
  readBytes,
  readToEnd,
  type TcpService,
  tcpService,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { eventually, pause } from "./support/patience.ts";
import type { Tunnel } from "./support/tunnel.ts";
import { transportRows } from "./support/transport_rows.ts";

const BULK = 4_000_000;
/** Enough that nobody takes it for a conversation, too little to be judged. */
const SOME = 100_000;

/** A visit through a tunnel to a service, and what the service has seen. */
interface Scene {
  readonly name: string;
  /** Serves a connection; resolves with the digest of what it has read, if that is looked at. */
  serve(connection: Deno.TcpConn, seen: string[]): Promise<void>;
  /** Fails unless all is as it should be. */
  play(
    visitor: Deno.TcpConn,
    seen: () => Promise<string>,
    moved: () => Promise<void>,
  ): Promise<void>;
}

const echo = async (connection: Deno.TcpConn) => {
  await copy(connection, connection);
  await connection.closeWrite();
};

const SCENES: readonly Scene[] = [
  {
    name: "an echo of megabytes, ended by the visitor",
    serve: echo,
    async play(visitor) {
      const bytes = noise(BULK, 3);
      const sending = writeAll(visitor, bytes).then(() => visitor.closeWrite());
      equal(await digest(await readToEnd(visitor)), await digest(bytes));
      await sending;
    },
  },
  {
    name: "a download, the visitor's end before it",
    async serve(connection, seen) {
      seen.push(await digest(await readToEnd(connection)));
      await writeAll(connection, noise(BULK, 5));
      await connection.closeWrite();
    },
    async play(visitor, seen) {
      await writeAll(visitor, noise(SOME, 4));
      await visitor.closeWrite();
      equal(await digest(await readToEnd(visitor)), await digest(noise(BULK, 5)));
      equal(await seen(), await digest(noise(SOME, 4)));
    },
  },
  {
    name: "an upload, the service's end before it",
    async serve(connection, seen) {
      await writeAll(connection, noise(SOME, 6));
      await connection.closeWrite();
      seen.push(await digest(await readToEnd(connection)));
    },
    async play(visitor, seen) {
      equal(await digest(await readToEnd(visitor)), await digest(noise(SOME, 6)));
      await writeAll(visitor, noise(BULK, 7));
      await visitor.closeWrite();
      equal(await seen(), await digest(noise(BULK, 7)));
    },
  },
  {
    name: "a download, the visitor's end after the move",
    async serve(connection, seen) {
      await writeAll(connection, noise(BULK, 8));
      seen.push(await digest(await readToEnd(connection)));
      await writeAll(connection, noise(SOME, 9));
      await connection.closeWrite();
    },
    async play(visitor, seen, moved) {
      equal(await digest(await readBytes(visitor, BULK)), await digest(noise(BULK, 8)));
      await moved();
      await writeAll(visitor, noise(SOME, 10));
      await visitor.closeWrite();
      equal(await digest(await readToEnd(visitor)), await digest(noise(SOME, 9)));
      equal(await seen(), await digest(noise(SOME, 10)));
    },
  },
  {
    name: "an upload, the service's end after the move",
    async serve(connection, seen) {
      await readBytes(connection, BULK);
      await writeAll(connection, noise(SOME, 11));
      await connection.closeWrite();
      seen.push(await digest(await readToEnd(connection)));
    },
    async play(visitor, seen, moved) {
      await writeAll(visitor, noise(BULK, 12));
      equal(await digest(await readToEnd(visitor)), await digest(noise(SOME, 11)));
      await moved();
      await writeAll(visitor, noise(SOME, 13));
      await visitor.closeWrite();
      equal(await seen(), await digest(noise(SOME, 13)));
    },
  },
];

/** Plays a scene beside a guest who must notice nothing. */
async function play(
  scene: Scene,
  transport: { server: TransportOptions; client: TransportOptions },
) {
  const seen: string[] = [];
  await using local: TcpService = tcpService(async (connection) => {
    const [first = 0] = await readBytes(connection, 1);
    await (first === 1 ? scene.serve(connection, seen) : echo(connection));
  });
  await using tunnel = await carried(local.address, {
    server: { transport: transport.server },
    client: { transport: transport.client },
  });
  const { client, door, server } = tunnel;
  using guest = await visit(door);
  const works = async () => {
    await writeAll(guest, bytesOf("hello"));
    deepEqual(await readBytes(guest, 5), bytesOf("hello"));
  };
  await writeAll(guest, Uint8Array.of(2));
  await works();
  {
    using visitor = await visit(door);
    await writeAll(visitor, Uint8Array.of(1));
    const known = () =>
      eventually("what the service has seen", () => seen[0] ?? "", (text) => text !== "");
    const moved = () => carriersBecome(server, { moved: 1, streams: 1 });
    await scene.play(visitor, known, moved);
  }
  await works();
  for (const end of [server, client]) {
    await carriersBecome(end, { moved: 1, open: 1, streams: 1, queuedBytes: 0 });
  }
  await eventually("its channel to go", () => server.service().dataChannelsInUse, (n) => n === 0);
  const [first] = server.events.all("stream-closed");
  equal(first?.reason, undefined);
  deepEqual(server.events.all("carrier-lost"), []);
}

for (const scene of SCENES) {
  Deno.test(`${scene.name}: moves, over every transport`, { timeout: 60_000 }, async (t) => {
    await using made = await Certificates.make();
    for (const row of await transportRows(made)) {
      await t.step(row.name, () => play(scene, row));
    }
  });
}

Deno.test("streams stay where they are while no data channel comes, and lose nothing", async () => {
  await using local = echoService();
  await using tunnel = await carriedThrough({ it: local.address });
  const { door, server, tap } = tunnel;
  tap.refused.add("data");
  for (const link of tap.of("data")) link.cut();
  await eventually("no reserve", () => server.service().dataChannelsIdle, (n) => n === 0);
  const bytes = noise(BULK, 21);
  using visitor = await visit(door);
  const sending = writeAll(visitor, bytes).then(() => visitor.closeWrite());
  equal(await digest(await readToEnd(visitor)), await digest(bytes));
  await sending;
  const { moved, open } = server.service().carriers;
  deepEqual({ moved, open }, { moved: 0, open: 1 });
});

Deno.test("a dozen streams move at once, and their channels are all given back", async () => {
  await using local = echoService();
  await using tunnel: Tunnel = await carried(local.address);
  const { door, server } = tunnel;
  using visitors = await guests(door, 5);
  await Promise.all(Array.from({ length: 12 }, async (_, i) => {
    const bytes = noise(1_000_000, i + 1);
    using visitor = await visit(door);
    const sending = writeAll(visitor, bytes).then(() => visitor.closeWrite());
    equal(await digest(await readToEnd(visitor)), await digest(bytes));
    await sending;
  }));
  await visitors.works();
  await carriersBecome(server, { moved: 12, streams: 5, open: 1 });
  await eventually("channels to go", () => server.service().dataChannelsInUse, (n) => n === 0);
});

Deno.test("a stream that has moved is cut with its visitor, at both ends", async () => {
  await using local = echoService();
  await using tunnel = await carried(local.address);
  const { client, door, server } = tunnel;
  {
    using visitor = await visit(door);
    const bytes = noise(1_000_000, 2);
    const sending = writeAll(visitor, bytes);
    await readBytes(visitor, bytes.length);
    await sending;
    await carriersBecome(server, { moved: 1, streams: 0 });
  }
  await eventually("no channel", () => server.service().dataChannelsInUse, (n) => n === 0);
  await eventually("no visitor", () => client.service().visitors, (n) => n === 0);
  await pause(50);
  equal(server.service().carriers.open, 1);
});
