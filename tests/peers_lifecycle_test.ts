/**
 * The real rathole 0.5.0 at either end: restarts, refusals, heartbeats.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { doesNotMatch, equal, match } from "node:assert/strict";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import { ask, bytesOf, echoService, textOf } from "./support/local_services.ts";
import { refusedAt } from "./support/doors.ts";
import { eventually, pause } from "./support/patience.ts";
import {
  ESTABLISHED,
  ignore,
  missing,
  PAIRINGS,
  startPair,
  startUnestablished,
} from "./support/peer.ts";

for (const pairing of PAIRINGS) {
  const title = `server ${pairing.server}, client ${pairing.client}`;

  Deno.test(`${title}: either end may be killed and come back${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    await using echo = echoService();
    await using datagrams = await udpEcho();
    await using pair = await startPair(pairing, {
      tcp: { local: echo.address },
      udp: { local: datagrams.address, type: "udp" },
    });
    await pair.check(async (door) => {
      await using visitor = await udpSocket();
      for (const end of ["client", "server"] as const) {
        equal(textOf(await ask(door("tcp"), bytesOf("before"))), "before");
        equal(textOf(await askDatagram(visitor, bytesOf("u"), door("udp"))), "u");
        if (end === "client" && pairing.server === "ours") {
          pair.client.kill("SIGKILL");
          await refusedAt(door("tcp"));
        }
        await pair.restart(end);
        await pair.client.until(ESTABLISHED);
        // A server of theirs may keep the door of the client that was killed open for a while.
        await eventually(
          "a reply after the restart",
          () => ask(door("tcp"), bytesOf("after"), 1000).then(textOf, String),
          (reply) => reply === "after",
        );
        while (visitor.waiting.length > 0) await visitor.next();
        equal(textOf(await askDatagram(visitor, bytesOf("v"), door("udp"))), "v");
      }
    });
  });

  Deno.test(`${title}: a wrong token is refused and both ends say so${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    await using pair = await startUnestablished(
      pairing,
      { it: { local: { hostname: "127.0.0.1", port: 9 } } },
      { clientService: 'token = "wrong-secret"' },
    );
    await pair.check(async (door) => {
      if (pairing.client === "ours") {
        await pair.client.until(/WARN rathole::client: .*refused the token of service \\"it\\"/);
      } else {
        await pair.client.until(/incorrect token/i);
        await pair.server.until(/WARN rathole::server: .*wrong token for service \\"it\\"/);
      }
      await refusedAt(door("it"));
      if (pairing.client === "ours") doesNotMatch(pair.client.text, /wrong-secret/);
    });
  });

  Deno.test(`${title}: an unknown service is refused and both ends say so${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    await using local = echoService();
    const extra = `[client.services.extra]\nlocal_addr = "127.0.0.1:9"\n`;
    await using pair = await startPair(
      pairing,
      { it: { local: local.address } },
      { clientService: extra },
    );
    await pair.check(async (door) => {
      if (pairing.client === "ours") {
        await pair.client.until(
          /does not know service \\"extra\\"; add \[server\.services\.extra\]/,
        );
      } else {
        await pair.client.until(/not exist/i);
        await pair.server.until(/asked for a service that is not configured/);
      }
      equal(textOf(await ask(door("it"), bytesOf("unharmed"))), "unharmed");
    });
  });

  for (
    const [what, server, client] of [
      ["heartbeats", "heartbeat_interval = 1", "heartbeat_timeout = 3"],
      ["no heartbeats", "heartbeat_interval = 0", "heartbeat_timeout = 0"],
    ]
  ) {
    Deno.test(`${title}: ${what} keep the tunnel as it is${missing}`, {
      ignore,
      timeout: 60_000,
    }, async () => {
      await using local = echoService();
      await using pair = await startPair(
        pairing,
        { it: { local: local.address } },
        { server: server ?? "", client: client ?? "" },
      );
      await pair.check(async (door) => {
        await pause(5000);
        equal(textOf(await ask(door("it"), bytesOf("alive"))), "alive");
        equal(pair.client.text.match(new RegExp(ESTABLISHED, "gi"))?.length, 1);
        doesNotMatch(pair.client.text, /WARN|ERROR/);
      });
    });
  }

  Deno.test(`${title}: SIGTERM ends ours with 0${missing}`, {
    ignore,
    timeout: 60_000,
  }, async () => {
    await using local = echoService();
    await using pair = await startPair(pairing, { it: { local: local.address } });
    await pair.check(async (door) => {
      equal(textOf(await ask(door("it"), bytesOf("x"))), "x");
      const ours = pairing.server === "ours" ? pair.server : pair.client;
      ours.kill("SIGTERM");
      equal((await ours.ended()).code, 0);
      match(ours.text, /Stopped\n$/);
    });
  });
}
