/**
 * Tunnels over WebSocket through a real nginx, which ends TLS or speaks plain HTTP.
 *
 * Permissions: --allow-net=127.0.0.1 --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { equal, match } from "node:assert/strict";
import { formatAddress } from "../src/runtime/address.ts";
import { Certificates } from "./support/certificates.ts";
import {
  ask,
  bytesOf,
  digest,
  noise,
  readToEnd,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { nginx, startNginx } from "./support/nginx.ts";
import { freePort } from "./support/ports.ts";
import { clientFor, serverFor } from "./support/tunnel.ts";

const KEY = "a key that nginx wants";
const HOST = "tunnel.example";
const { ignore, missing } = nginx;

/** How a client goes through nginx; `other` replaces some of it. */
function through(tls: string | undefined, other = {}) {
  return {
    type: "websocket",
    ...(tls === undefined ? {} : { tls: { trusted_root: tls, hostname: HOST } }),
    websocket: {
      tls: tls !== undefined,
      path: "/tunnel?from=here",
      host: HOST,
      headers: { "X-Key": KEY, "X-Forwarded-For": "203.0.113.9" },
      ...other,
    },
  } as const;
}

for (const secure of [true, false]) {
  Deno.test(
    `through nginx with ${secure ? "TLS" : "plain HTTP"}${missing}`,
    { ignore },
    async () => {
      await using all = new AsyncDisposableStack();
      const certificates = all.use(await Certificates.make());
      const ca = secure ? await certificates.ca("ca") : undefined;
      const tls = ca && await certificates.signed(ca, { hosts: [HOST] });
      const question = noise(1_000_000);
      const reply = noise(3 << 20, 2);
      const heard = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
      const late = all.use(tcpService(async (connection) => {
        const asked = await readToEnd(connection);
        await writeAll(connection, bytesOf(await digest(asked)));
        await writeAll(connection, reply);
      }));
      const early = all.use(tcpService(async (connection) => {
        await writeAll(connection, bytesOf("goodbye"));
        await connection.closeWrite();
        heard.resolve(await readToEnd(connection));
      }));
      const server = all.use(
        await serverFor({ late: {}, early: {} }, {
          transport: {
            type: "websocket",
            websocket: { tls: false, path: "/tunnel", trusted_proxies: ["127.0.0.1"] },
          },
        }),
      );
      const proxy = all.use(
        await startNginx({
          server: server.server.address,
          path: "/tunnel",
          host: HOST,
          key: KEY,
          ...(tls === undefined ? {} : { tls }),
        }),
      );
      const local = { late: late.address, early: early.address };
      const remote = formatAddress(proxy.address);
      all.use(await clientFor(remote, local, { transport: through(ca?.certificate) }));

      const answers = await Promise.all(
        Array.from({ length: 5 }, async () => await ask(await server.door("late"), question)),
      );
      for (const answer of answers) {
        equal(textOf(answer.subarray(0, 64)), await digest(question));
        equal(await digest(answer.slice(64)), await digest(reply));
      }
      using visitor = await visit(await server.door("early"));
      equal(textOf(await readToEnd(visitor)), "goodbye");
      await writeAll(visitor, question);
      await visitor.closeWrite();
      equal(await digest(await heard.promise), await digest(question));
      equal(server.service("late").client?.hostname, "203.0.113.9");
    },
  );
}

for (
  const { what, other, gone, reason } of [
    { what: "a wrong key", other: { headers: {} }, reason: /status 403: .*headers/ },
    { what: "a wrong path", other: { path: "/other" }, reason: /status 404: wrong .*path/ },
    { what: "a server that is not there", gone: true, reason: /status 502: .*cannot reach it/ },
  ]
) {
  Deno.test(
    `nginx and ${what}: the client's log says what to do${missing}`,
    { ignore },
    async () => {
      await using all = new AsyncDisposableStack();
      const transport = { type: "websocket", websocket: { tls: false, path: "/tunnel" } } as const;
      const server = all.use(await serverFor({ it: {} }, { transport }));
      const proxy = all.use(
        await startNginx({
          server: gone === true
            ? { hostname: "127.0.0.1", port: freePort() }
            : server.server.address,
          path: "/tunnel",
          host: HOST,
          key: KEY,
        }),
      );
      const local = { it: { hostname: "127.0.0.1", port: 9 } };
      const client = all.use(
        await clientFor(formatAddress(proxy.address), local, {
          transport: through(undefined, other),
        }),
      );
      const { reason: said } = await client.events.until("control-channel-failed");
      match(said, reason);
    },
  );
}
