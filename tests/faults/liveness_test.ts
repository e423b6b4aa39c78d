/**
 * Clients and servers that die, stop or are cut off: who notices, when, and what visitors see.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run; root, iproute2 and
 * nftables for the black hole
 *
 * @module
 */

import { doesNotMatch, equal, ok } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { distant } from "../support/distant.ts";
import {
  ask,
  bytesOf,
  closedByPeer,
  echoService,
  readBytes,
  textOf,
  visit,
  writeAll,
} from "../support/local_services.ts";
import { ignore as noNamespaces, missing as why, Namespace } from "../support/namespace.ts";
import { eventually, pause, soon } from "../support/patience.ts";
import { ignore, missing, type Pair, type Pairing, startPair } from "../support/peer.ts";
import { relayTo } from "../support/relay.ts";
import { clientFor, serverFor } from "../support/tunnel.ts";

const MAKERS = ["ours", "rust"] as const;
/** Short enough to be waited for; `pulse_test.ts` has the sums for the defaults. */
const SERVER = "heartbeat_interval = 1";
const CLIENT = "heartbeat_timeout = 3";

/** Whether a test is run that may need rathole 0.5.0, and what its name says. */
function needing({ client, server }: Pairing) {
  const needed = client === "rust" || server === "rust";
  return { title: needed ? missing : "", options: { ignore: needed && ignore, timeout: 60_000 } };
}

/** Milliseconds until visitors are refused. */
async function closedAfter(door: Address, patience: number): Promise<number> {
  const since = performance.now();
  await eventually(
    "the door to be closed",
    async () => {
      try {
        using _visitor = await Deno.connect({ ...door });
        return "open";
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionRefused) return "closed";
        return `${error}`;
      }
    },
    (seen) => seen === "closed",
    patience,
  );
  return performance.now() - since;
}

/** Milliseconds until a visitor is served; each try may take a second. */
async function servedAfter(door: Address): Promise<number> {
  const since = performance.now();
  await eventually(
    "a reply",
    () => ask(door, bytesOf("?"), 1_000).then(textOf, String),
    (reply) => reply === "?",
  );
  return performance.now() - since;
}

/** A visitor in the middle of a conversation. */
async function talking(door: Address): Promise<Deno.TcpConn> {
  const visitor = await visit(door);
  await writeAll(visitor, bytesOf("hello"));
  equal(textOf(await readBytes(visitor, 5)), "hello");
  return visitor;
}

/** Visitors who come at a bad moment: how long the last of them had to wait for an end. */
async function longestWait(visitors: readonly Deno.TcpConn[], since: number): Promise<number> {
  await Promise.all(visitors.map((visitor) => closedByPeer(visitor)));
  return performance.now() - since;
}

for (const client of MAKERS) {
  const { title, options } = needing({ server: "ours", client });

  Deno.test(
    `client ${client}, killed with -9: its port is closed within 1 s, restored within 2 s of its return, no visitor hangs 10 s${title}`,
    options,
    async () => {
      await using local = echoService();
      await using pair = await startPair({ server: "ours", client }, {
        it: { local: local.address },
      });
      await pair.check(async (door) => {
        using visitor = await talking(door("it"));
        const since = performance.now();
        pair.client.kill("SIGKILL");
        const cut = longestWait([visitor], since);
        const closed = await closedAfter(door("it"), 3_000);
        ok(await cut < 10_000);
        const [served] = await Promise.all([
          pair.restart("client").then(() => servedAfter(door("it"))),
        ]);
        ok(served < 6_000, `${served} ms`);
        console.log(`  ${client}: closed after ${ms(closed)}, restored after ${ms(served)}`);
      });
    },
  );
}

Deno.test(
  "two of ours, the client stopped: the server sees it within its 3 s, closes the port and cuts whom it served; when it goes on it is back",
  {
    timeout: 60_000,
  },
  async () => {
    await using local = echoService();
    await using pair = await startPair(
      { server: "ours", client: "ours" },
      { it: { local: local.address } },
      { server: SERVER, client: CLIENT },
    );
    await pair.check(async (door) => {
      using visitor = await talking(door("it"));
      await stopped(pair, "client", async () => {
        const cut = longestWait([visitor], performance.now());
        await pair.server.until(/the client was silent for 3 s/);
        await closedAfter(door("it"), 3_000);
        ok(await cut < 10_000);
      });
      ok(await servedAfter(door("it")) < 15_000);
    });
  },
);

Deno.test(
  "two of ours, the server stopped: the client sees it within its 3 s and is back when it goes on",
  {
    timeout: 60_000,
  },
  async () => {
    await using local = echoService();
    await using pair = await startPair(
      { server: "ours", client: "ours" },
      { it: { local: local.address } },
      { server: SERVER, client: CLIENT },
    );
    await pair.check(async (door) => {
      await stopped(pair, "server", () => pair.client.until(/the server was silent for 3 s/));
      ok(await servedAfter(door("it")) < 15_000);
    });
  },
);

Deno.test(
  `a stopped client of 0.5.0 is found by the probe, 10 s after it was asked; nobody whom it kept waiting hangs longer${missing}`,
  {
    ignore,
    timeout: 60_000,
  },
  async () => {
    await using local = echoService();
    await using pair = await startPair(
      { server: "ours", client: "rust" },
      { it: { local: local.address } },
      { server: SERVER },
    );
    await pair.check(async (door) => {
      using before = await talking(door("it"));
      await stopped(pair, "client", async () => {
        const since = performance.now();
        // Its kernel takes the connection, the request and these bytes; nobody answers.
        using during = await visit(door("it"));
        await writeAll(during, bytesOf("anybody?"));
        const waits = longestWait([before, during], since);
        await pair.server.until(/opened none of the data channels/);
        await closedAfter(door("it"), 3_000);
        const longest = await waits;
        // Its visit was a probe already.
        ok(longest > 8_000 && longest < 15_000, `${longest} ms`);
        console.log(`  found after ${ms(longest)}`);
      });
      ok(await servedAfter(door("it")) < 15_000);
    });
  },
);

Deno.test(
  `a client of 0.5.0 without visitors is probed every second and neither warns nor is given up${missing}`,
  {
    ignore,
    timeout: 60_000,
  },
  async () => {
    await using local = echoService();
    await using pair = await startPair(
      { server: "ours", client: "rust" },
      { it: { local: local.address } },
      { server: SERVER },
    );
    await pair.check(async (door) => {
      await pause(5_000);
      doesNotMatch(pair.client.text, /WARN|ERROR/);
      doesNotMatch(pair.server.text, /lost|silent|none of the data channels/);
      equal(textOf(await ask(door("it"), bytesOf("well?"))), "well?");
    });
  },
);

Deno.test(`a black hole: seen by both ends within 3 s of their 3 s, healed within 15 s${why}`, {
  ignore: noNamespaces,
  timeout: 60_000,
}, async () => {
  await using namespace = await Namespace.make();
  await using local = echoService({ hostname: namespace.outside[0] });
  await using tunnel = await distant({
    at: `${namespace.outside[0]}:0`,
    local: local.address,
    server: SERVER,
    client: CLIENT,
    start: (config) => namespace.startOurs(config),
  });
  await tunnel.check(async () => {
    equal(textOf(await ask(tunnel.door, bytesOf("light"))), "light");
    const since = performance.now();
    await namespace.goDark();
    const [lost] = await Promise.all([
      tunnel.events.until("control-channel-lost").then(({ reason }) => {
        const after = performance.now() - since;
        ok(after < 9_000, `${after} ms`);
        return reason;
      }),
      tunnel.client.until(/the server was silent for 3 s/),
    ]);
    ok(/the client was silent for 3 s/.test(lost), lost);
    equal(tunnel.server.status().services[0]?.address, undefined);
    const seen = tunnel.events.all("control-channel-established").length;
    await namespace.heal();
    await eventually(
      "the client to be back",
      () => tunnel.events.all("control-channel-established").length,
      (count) => count > seen,
    );
  });
});

Deno.test("clocks that are set a year forward and back cost no session, and hide no silence", {
  timeout: 60_000,
}, async () => {
  await using local = echoService();
  await using server = await serverFor({ it: {} }, { heartbeat_interval: "500ms" });
  await using relay = relayTo(server.server.address);
  await using client = await clientFor(
    `127.0.0.1:${relay.address.port}`,
    { it: local.address },
    { heartbeat_timeout: "2s" },
  );
  const door = await server.door();
  const { now } = Date;
  try {
    for (const step of [31_536_000_000, -31_536_000_000, 86_400_000, 0]) {
      Date.now = () => now() + step;
      await pause(800);
      equal(textOf(await ask(door, bytesOf("tick"))), "tick");
    }
    equal(client.events.all("control-channel-lost").length, 0);
    equal(server.events.all("control-channel-lost").length, 0);
    Date.now = () => now() - 31_536_000_000;
    relay.fallSilent();
    await soon(
      "both ends to notice",
      Promise.all([
        client.events.until("control-channel-lost"),
        server.events.until("control-channel-lost"),
      ]),
      9_000,
    );
  } finally {
    Date.now = now;
  }
});

/** Runs a body while one end is stopped. */
async function stopped(
  pair: Pair,
  end: keyof Pairing,
  body: () => Promise<unknown>,
): Promise<void> {
  pair[end].kill("SIGSTOP");
  try {
    await body();
  } finally {
    pair[end].kill("SIGCONT");
  }
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}
