/**
 * A tunnel through proxies as people run them, and through ones that mean harm.
 *
 * Permissions: --allow-net --allow-read --allow-write --allow-env --allow-run
 *
 * @module
 */

import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import type { TransportOptions } from "../src/config/options.ts";
import { formatAddress } from "../src/runtime/address.ts";
import { startProgram } from "./support/child.ts";
import { askDatagram, udpEcho, udpSocket } from "./support/datagrams.ts";
import {
  bytesOf,
  digest,
  echoed,
  echoService,
  noise,
  readBytes,
  tcpService,
  textOf,
  visit,
  writeAll,
} from "./support/local_services.ts";
import { PROXIES, type ProxyProgram, type RunningProxy } from "./support/proxies.ts";
import { clientFor, serverFor, TOKEN } from "./support/tunnel.ts";
import { aborted } from "./support/raw.ts";

const OPTIONS = { timeout: 60_000 };

/** The client's settings for a proxy. */
function through(program: Pick<ProxyProgram, "scheme">, { address }: RunningProxy, userinfo = "") {
  const at = userinfo === "" ? "" : `${userinfo}@`;
  return { tcp: { proxy: `${program.scheme}://${at}${formatAddress(address)}` } };
}

/** A tunnel through a proxy: what people send, and that it is the proxy which carries it. */
async function tunnelThrough(proxy: RunningProxy, transport: TransportOptions, host: string) {
  await using echo = echoService();
  await using datagrams = await udpEcho();
  await using server = await serverFor(
    { tcp: {}, udp: { type: "udp" } },
    { bind_addr: `${host}:0` },
  );
  await using client = await clientFor(server, {
    tcp: echo.address,
    udp: { type: "udp", local_addr: formatAddress(datagrams.address) },
  }, { transport });
  const door = await server.door("tcp");
  const question = noise(3 << 20);
  // Without a half-close: these proxies take the end of one direction for that of both.
  equal(await digest(await echoed(door, question)), await digest(question));

  const visitors = await Promise.all(Array.from({ length: 40 }, () => visit(door)));
  try {
    await Promise.all(visitors.map((visitor, i) => writeAll(visitor, noise(5000, i + 1))));
    const replies = await Promise.all(visitors.map((visitor) => readBytes(visitor, 5000)));
    for (const [i, bytes] of replies.entries()) deepEqual(bytes, noise(5000, i + 1));
  } finally {
    for (const visitor of visitors) visitor.close();
  }

  await using visitor = await udpSocket();
  equal(textOf(await askDatagram(visitor, bytesOf("u"), await server.door("udp"))), "u");

  equal(client.events.all("control-channel-lost").length, 0);
  await proxy.stop();
  await client.events.until("control-channel-lost");
  const { reason } = await client.events.until("control-channel-failed");
  match(reason, /^cannot reach the proxy: 127\.0\.0\.1:\d+ refused the connection$/);
}

for (const program of PROXIES) {
  const { name, missing, ignore, user } = program;
  const options = { ...OPTIONS, ignore };

  Deno.test(`${name}: a tunnel${missing}`, options, async () => {
    await using proxy = await program.start();
    await tunnelThrough(proxy, through(program, proxy), "127.0.0.1");
  });

  Deno.test(`${name}: a tunnel to an IPv6 address, with user and password${missing}`, {
    ...options,
  }, async () => {
    await using proxy = await program.start(user);
    await tunnelThrough(proxy, through(program, proxy, user.userinfo), "[::1]");
  });

  Deno.test(`${name}: wrong and missing credentials are told, and not shown${missing}`, {
    ...options,
  }, async () => {
    await using proxy = await program.start(user);
    await using server = await serverFor({ it: {} });
    for (const userinfo of ["", "me:hunter2", "somebody:else"]) {
      await using client = await clientFor(server, { it: { local_addr: "127.0.0.1:9" } }, {
        transport: through(program, proxy, userinfo),
      });
      const { reason } = await client.events.until("control-channel-failed");
      match(
        reason,
        userinfo === ""
          ? /^the proxy \S+ wants .*write (them|user and password) in transport\.tcp\.proxy/
          : /^the proxy \S+ refused the user name or password; correct/,
      );
      doesNotMatch(reason, /hunter2|else/);
    }
  });

  Deno.test(`${name}: a server that is not there${missing}`, options, async () => {
    await using proxy = await program.start();
    const gone = tcpService(async () => {});
    await gone.stop();
    await using client = await clientFor(
      formatAddress(gone.address),
      { it: { local_addr: "127.0.0.1:9" } },
      { transport: through(program, proxy) },
    );
    const { reason } = await client.events.until("control-channel-failed");
    match(
      reason,
      /^the proxy 127\.0\.0\.1:\d+ (could not connect to|was refused by) 127\.0\.0\.1:/,
    );
  });

  Deno.test(`${name}: a program that may use the proxy, not the server${missing}`, {
    ...options,
  }, async () => {
    await using proxy = await program.start(user);
    await using echo = echoService();
    await using server = await serverFor({ it: {} });
    const { proxy: url } = through(program, proxy, user.userinfo).tcp;
    const config = `[client]\nremote_addr = "${server.address}"\ndefault_token = "${TOKEN}"\n` +
      `[client.transport.tcp]\nproxy = "${url}"\n` +
      `[client.services.it]\nlocal_addr = "${formatAddress(echo.address)}"\n`;
    const addresses = [formatAddress(proxy.address), formatAddress(echo.address)];
    await using client = await startProgram({
      config,
      allow: [`--allow-net=${addresses.join(",")}`],
      log: "trace",
    });
    equal(textOf(await echoed(await server.door(), bytesOf("hello"))), "hello");
    client.kill("SIGTERM");
    equal((await client.ended()).code, 0);
    for (const secret of [user.password, user.userinfo, user.userinfo.split(":")[1] ?? ""]) {
      ok(!client.text.includes(secret), client.text);
    }
  });
}

Deno.test("a program that may not use the proxy ends with 1 and names its address", {
  ...OPTIONS,
}, async () => {
  const config = `[client]\nremote_addr = "127.0.0.1:1"\ndefault_token = "t"\n` +
    `[client.transport.tcp]\nproxy = "socks5://me:hunter2@127.0.0.1:2"\n` +
    `[client.services.it]\nlocal_addr = "127.0.0.1:3"\n`;
  const allow = ["--allow-net=127.0.0.1:1,127.0.0.1:3"];
  await using client = await startProgram({ config, allow, log: "trace" });
  equal((await client.ended()).code, 1);
  match(client.text, /add --allow-net=127\.0\.0\.1:2\n$/);
  doesNotMatch(client.text, /hunter2/);
});

Deno.test("a proxy that refuses, lies or leaves is told, and tried again", OPTIONS, async () => {
  const answers: [scheme: "http" | "socks5", answer: Uint8Array, reason: RegExp][] = [
    ["http", bytesOf("HTTP/1.1 403 hunter2\r\n\r\n"), /does not allow connections to/],
    ["http", bytesOf("HTTP/1.1 200 OK\r\n\r\nhunter2"), /before the tunnel did/],
    ["http", bytesOf(`HTTP/1.1 200 ${"x".repeat(100_000)}`), /more than 16384 bytes/],
    ["http", noise(1 << 20), /does not speak HTTP/],
    ["http", new Uint8Array(0), /closed the connection in answer to CONNECT/],
    ["socks5", Uint8Array.of(5, 0xff), /takes neither/],
    ["socks5", bytesOf("HTTP/1.1 400 Bad Request\r\n\r\n"), /speaks HTTP/],
    ["socks5", new Uint8Array(0), /closed the connection in answer to the SOCKS5 greeting/],
  ];
  for (const [scheme, answer, reason] of answers) {
    await using proxy = tcpService(async (connection) => {
      await connection.read(new Uint8Array(1024));
      await writeAll(connection, answer);
    });
    const client = await clientFor("127.0.0.1:9", { it: { local_addr: "127.0.0.1:9" } }, {
      retry_interval: "10ms",
      transport: { tcp: { proxy: `${scheme}://me:hunter2@${formatAddress(proxy.address)}` } },
    });
    await using _client = client;
    for (let attempts = 0; attempts < 3; attempts++) {
      const failed = await client.events.until("control-channel-failed");
      client.events.forget();
      match(failed.reason, reason);
      doesNotMatch(failed.reason, /hunter2/);
    }
  }
});

Deno.test("a proxy that says nothing is given up, with what it did not answer", {
  timeout: 60_000,
}, async () => {
  await using proxy = tcpService((_connection, signal) => aborted(signal));
  const { port } = proxy.address;
  await using client = await clientFor("127.0.0.1:9", { it: { local_addr: "127.0.0.1:9" } }, {
    transport: { tcp: { proxy: `http://127.0.0.1:${port}` } },
  });
  const { reason } = await client.events.until("control-channel-failed", () => true, 50_000);
  equal(
    reason,
    "connecting to the server took more than 15 s: " +
      `no answer from the proxy 127.0.0.1:${port} to CONNECT 127.0.0.1:9`,
  );
});
