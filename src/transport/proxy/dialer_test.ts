import { equal, match, ok, rejects } from "node:assert/strict";
import {
  dialerThrough,
  dialThrough,
  fakeProxy,
  type Turn,
} from "../../../tests/support/fake_proxy.ts";
import {
  bytesOf,
  closedByPeer,
  tcpService,
  writeAll,
} from "../../../tests/support/local_services.ts";
import { RatholeError } from "../../runtime/errors.ts";

const SERVER = { hostname: "h", port: 1 };
const NOTHING = new Uint8Array(0);
const GREETING: Turn = [3, Uint8Array.of(5, 0)];
/** Conversations that stop, what the client then waits for, and how much was said before. */
const STALLS = [
  ["http", [[20, NOTHING]], "CONNECT h:1"],
  ["http", [[20, bytesOf("HTTP/1.1 200 OK\r\n")]], "CONNECT h:1"],
  ["socks5", [[3, NOTHING]], "the SOCKS5 greeting"],
  ["socks5", [[3, Uint8Array.of(5)]], "the SOCKS5 greeting"],
  ["socks5", [GREETING, [8, NOTHING]], "the SOCKS5 request for h:1"],
  ["socks5", [GREETING, [8, Uint8Array.of(5, 0, 0, 1)]], "the SOCKS5 request for h:1"],
] satisfies ["http" | "socks5", Turn[], string][];

/** A proxy that stops; `stopped` resolves when all was said and the client waits for more. */
function stalling(turns: readonly Turn[]) {
  const { promise: closed, resolve: wasClosed } = Promise.withResolvers<void>();
  const { promise: stopped, resolve: stops } = Promise.withResolvers<void>();
  const service = tcpService(async (connection) => {
    const buffer = new Uint8Array(100);
    for (const [awaited, answer] of turns) {
      for (let got = 0; got < awaited;) {
        got += await connection.read(buffer.subarray(0, awaited - got)) ?? awaited;
      }
      await writeAll(connection, answer);
    }
    stops();
    await closedByPeer(connection);
    wasClosed();
  });
  return { service, stopped, closed, [Symbol.asyncDispose]: service.stop };
}

Deno.test("an attempt that is aborted at any step rejects with the reason, the socket closed", async () => {
  for (const [scheme, turns] of STALLS) {
    await using proxy = stalling(turns);
    const controller = new AbortController();
    const { signal } = controller;
    const dialled = dialThrough(scheme, proxy.service.address, SERVER, { signal });
    proxy.stopped.then(() => controller.abort(new Error("not wanted")));
    await rejects(dialled, { message: "not wanted" });
    await proxy.closed;
  }
});

Deno.test("when the time is up, the message says what the proxy did not answer", async () => {
  for (const [scheme, turns, step] of STALLS) {
    await using proxy = stalling(turns);
    const controller = new AbortController();
    const { signal } = controller;
    const dialled = dialThrough(scheme, proxy.service.address, SERVER, { signal });
    const { port } = proxy.service.address;
    await proxy.stopped;
    controller.abort(new RatholeError("timeout", "connecting took more than 15 s"));
    await rejects(dialled, {
      code: "timeout",
      message:
        `connecting took more than 15 s: no answer from the proxy 127.0.0.1:${port} to ${step}`,
    });
  }
});

Deno.test("an attempt that is aborted before it starts, or as it succeeds, gives no socket", async () => {
  const reply = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  await using proxy = fakeProxy([GREETING, [8, reply]]);
  const aborted = AbortSignal.abort(new Error("not wanted"));
  const early = dialThrough("socks5", proxy.address, SERVER, { signal: aborted });
  await rejects(early, { message: "not wanted" });
  equal(proxy.accepted, 0);
  // Whenever it comes: an attempt gives a socket or closes it. Leaks fail the test.
  for (let turns = 0; turns < 30; turns++) {
    const controller = new AbortController();
    const { signal } = controller;
    const dialled = dialThrough("socks5", proxy.address, SERVER, { signal });
    const outcome = dialled.then(
      (socket) => void socket.close(),
      (error: Error) => error.message,
    );
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 0));
    controller.abort(new Error("not wanted"));
    ok([undefined, "not wanted"].includes(await outcome));
  }
});

Deno.test("a proxy that cannot be reached is said to be the proxy", async () => {
  const gone = tcpService(async () => {});
  await gone.stop();
  const { port } = gone.address;
  await rejects(dialThrough("http", gone.address, SERVER), {
    code: "connect",
    message: `cannot reach the proxy: 127.0.0.1:${port} refused the connection`,
  });
  // Outside of what the tests' permissions cover.
  await rejects(dialThrough("http", { hostname: "192.0.2.1", port: 1 }, SERVER), {
    code: "permission",
    message: /^cannot reach the proxy: .*add --allow-net=192\.0\.2\.1:1$/,
  });
});

Deno.test("a proxy that was reached before is reached there again", async () => {
  const reply = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  await using proxy = fakeProxy([GREETING, [8, reply]]);
  const dialer = dialerThrough("socks5://no-such-host.invalid:1");
  const { signal } = new AbortController();
  using socket = await dialer.dial(SERVER, { at: proxy.address, signal });
  equal(socket.remoteAddr.port, proxy.address.port);
});

Deno.test("a dialer, however it is printed, shows no password", () => {
  for (const scheme of ["http", "socks5"]) {
    const dialer = dialerThrough(`${scheme}://me:hunter2@h:1`);
    match(Deno.inspect(dialer, { depth: 10 }), /ProxyDialer/);
    ok(!Deno.inspect(dialer, { depth: 10, showHidden: true }).includes("hunter2"));
    ok(!JSON.stringify(dialer).includes("hunter2"));
  }
});
