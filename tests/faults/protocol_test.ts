/**
 * A peer that breaks the protocol at every step, over every transport: as a client of our server
 * and as a server of our client. Ours ends that connection, says why, and serves everybody else.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-run
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { introduce } from "../../src/client/handshake.ts";
import type { Connection } from "../../src/net/connection.ts";
import { readExact } from "../../src/net/read_exact.ts";
import { createNonce, serviceDigest, sessionKey } from "../../src/protocol/auth.ts";
import {
  decodeHello,
  encodeAck,
  encodeControlCommand,
  encodeHello,
  HELLO_LENGTH,
} from "../../src/protocol/messages.ts";
import { formatAddress } from "../../src/runtime/address.ts";
import { RatholeError } from "../../src/runtime/errors.ts";
import { Secret } from "../../src/runtime/secret.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { RESERVE } from "../support/both_ways.ts";
import { Certificates } from "../support/certificates.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  expectLost,
  noise,
  textOf,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { eventually, soon } from "../support/patience.ts";
import { dataHello, forwardTcp, forwardUdp } from "../support/raw.ts";
import { ANYWHERE } from "../support/tcp_pair.ts";
import { openRow, transportRows } from "../support/transport_rows.ts";
import { clientFor, serverFor, TOKEN } from "../support/tunnel.ts";

const OPTIONS = { timeout: 60_000 };
const GARBAGE = noise(300, 5);
const token = new Secret(TOKEN);

const made = await Certificates.make();
Deno.test.afterAll(() => made[Symbol.asyncDispose]());
const ROWS = await transportRows(made);

/** Reads until the peer has had enough; an error must be one of ours. */
async function endedByPeer(connection: Connection): Promise<void> {
  const reading = (async () => {
    while (await connection.read() !== null);
  })();
  await soon("the peer to end it", reading.catch(expectOurs));
}

function expectOurs(error: unknown): void {
  ok(error instanceof RatholeError, Deno.inspect(error));
}

async function controlHello(): Promise<Uint8Array> {
  return encodeHello({ kind: "control", digest: await serviceDigest("it") });
}

/** The key of a session that is authenticated, on a control channel of its own. */
async function authenticated(connection: Connection): Promise<Uint8Array> {
  await connection.write(await controlHello());
  const { digest } = decodeHello((await readExact(connection, HELLO_LENGTH)).slice());
  const key = await sessionKey(TOKEN, digest);
  await connection.write(key);
  deepEqual((await readExact(connection, 4)).slice(), encodeAck("ok"));
  return key;
}

type Open = () => Promise<Connection>;

/** What a client does wrong, by the step; the connection that the server is to end. */
const CLIENT_STEPS: Readonly<Record<string, (open: Open) => Promise<Connection>>> = {
  "nothing instead of a hello": (open) => open(),
  "garbage instead of a hello": (open) => said(open, GARBAGE),
  "a hello of version 9": (open) => said(open, Uint8Array.of(0, 0, 0, 0, 9, ...noise(32))),
  "half a hello": (open) => said(open, new Uint8Array(20)),
  "a data channel of nobody": (open) => said(open, dataHello(noise(32))),
  "a hello and no proof": async (open) => said(open, await controlHello()),
  "a wrong proof": async (open) => said(open, await controlHello(), noise(32, 9)),
  "a megabyte after the hello": async (open) => said(open, await controlHello(), noise(1 << 20)),
  "garbage on the control channel": async (open) => {
    const connection = await open();
    await authenticated(connection);
    await connection.write(GARBAGE).catch(expectOurs);
    return connection;
  },
  "a data channel that speaks first": async (open) => {
    const control = await open();
    const key = await authenticated(control);
    const channel = await said(open, dataHello(key));
    await channel.write(GARBAGE).catch(expectOurs);
    await endedByPeer(channel);
    control.abort();
    return channel;
  },
};

async function said(open: Open, ...messages: readonly Uint8Array[]): Promise<Connection> {
  const connection = await open();
  for (const message of messages) await connection.write(message).catch(expectOurs);
  return connection;
}

for (const row of ROWS) {
  Deno.test(
    `${row.name}: a client that breaks the protocol at each of ${
      Object.keys(CLIENT_STEPS).length + 2
    } steps`,
    OPTIONS,
    async (t) => {
      await using local = echoService();
      await using server = await serverFor({ it: {}, bystander: {} }, {
        handshake_timeout: "300ms",
        transport: row.server,
      });
      await using bystander = await clientFor(server, { bystander: local.address }, {
        transport: row.client,
      });
      const door = await server.door("bystander");
      const [, client] = await openRow(row);
      const { signal } = new AbortController();
      const open = () => client.connect(server.server.address, { signal });
      const unharmed = async () => {
        equal(textOf(await ask(door, bytesOf("unharmed"))), "unharmed");
        await eventually(
          "handshakes",
          () => server.server.status().pendingHandshakes,
          (n) => n <= 0,
        );
        equal(bystander.events.all("control-channel-lost").length, 0);
      };
      await eventually(
        "the reserve",
        () => server.service("bystander").dataChannelsIdle,
        (n) => n === RESERVE,
      );
      for (const bytes of [GARBAGE, new Uint8Array(70_000)]) {
        await t.step(`${bytes.length} bytes that are no transport's`, async () => {
          using attacker = await visit(server.server.address);
          await writeAll(attacker, bytes).catch(expectLost);
          await closedByPeer(attacker);
          await unharmed();
        });
      }
      for (const [step, act] of Object.entries(CLIENT_STEPS)) {
        await t.step(step, async () => {
          using connection = await act(open);
          await endedByPeer(connection);
          await unharmed();
        });
      }
    },
  );
}

/** What a server does wrong on each connection in turn; the last ones are as they should be. */
class Saboteur {
  control = 0;
  data = 0;
  readonly served = Promise.withResolvers<string>();

  async serve(connection: Connection): Promise<void> {
    const { kind } = decodeHello((await readExact(connection, HELLO_LENGTH)).slice());
    await (kind === "data" ? this.#data(connection) : this.#control(connection));
  }

  async #control(connection: Connection): Promise<void> {
    const nonce = await createNonce();
    const hello = encodeHello({ kind: "control", digest: nonce });
    const wrong: readonly (readonly Uint8Array[])[] = [
      [],
      [GARBAGE],
      [dataHello(noise(32))],
      [hello.subarray(0, 20)],
      [hello],
      [hello, GARBAGE],
      [hello, encodeAck("auth-failed")],
      [hello, encodeAck("ok"), GARBAGE],
      [hello, encodeAck("ok"), noise(1 << 18, 3)],
    ];
    const messages = wrong[this.control++];
    if (messages !== undefined) {
      for (const message of messages) await connection.write(message);
      await connection.closeWrite();
      return await endedByPeer(connection);
    }
    await connection.write(hello);
    await readExact(connection, 32);
    await connection.write(encodeAck("ok"));
    const create = encodeControlCommand("create-data-channel");
    for (let i = 0; i < 5; i++) await connection.write(create);
    await endedByPeer(connection);
  }

  async #data(connection: Connection): Promise<void> {
    const wrong = [GARBAGE, forwardUdp, forwardTcp.subarray(0, 3), new Uint8Array(0)];
    const message = wrong[this.data++];
    if (message !== undefined) {
      if (message.length > 0) await connection.write(message);
      await connection.closeWrite();
      return await endedByPeer(connection);
    }
    await connection.write(forwardTcp);
    await connection.write(bytesOf("fine"));
    this.served.resolve(textOf(await readExact(connection, 4)));
    await endedByPeer(connection);
  }
}

async function sabotage(server: Transport, saboteur: Saboteur) {
  const listener = server.bind(ANYWHERE);
  const tasks: Promise<void>[] = [];
  const accepting = (async () => {
    for (let garbage = 2;; garbage--) {
      const incoming = await listener.accept();
      // Cut before the transport's handshake is over, then let on.
      if (garbage > 0) incoming.abort();
      else {
        tasks.push(
          (async () => {
            using connection = await incoming.handshake();
            await saboteur.serve(connection);
          })().catch(expectOurs),
        );
      }
    }
  })().catch(expectOurs);
  await Promise.resolve();
  return {
    address: listener.address,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await soon("the saboteur's connections", Promise.all(tasks));
    },
  };
}

for (const row of ROWS) {
  Deno.test(
    `${row.name}: a server that breaks the protocol at each of 15 steps`,
    OPTIONS,
    async () => {
      await using local = echoService();
      const [server] = await openRow(row);
      const saboteur = new Saboteur();
      await using at = await sabotage(server, saboteur);
      await using client = await clientFor(formatAddress(at.address), { it: local.address }, {
        transport: row.client,
        retry_interval: "10ms",
      });
      equal(await soon("the service behind it", saboteur.served.promise), "fine");
      equal(saboteur.control, 10);
      equal(saboteur.data, 5);
      ok(client.events.all("control-channel-failed").length >= 8);
    },
  );
}

Deno.test("the steps begin where a good client does", async () => {
  const row = ROWS[0];
  if (row === undefined) throw new Error("unreachable");
  await using server = await serverFor({ it: {} });
  const [, client] = await openRow(row);
  const { signal } = new AbortController();
  using connection = await client.connect(server.server.address, { signal });
  await introduce(connection, "it", token);
  await server.door();
});
