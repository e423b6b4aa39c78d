import { deepEqual, doesNotMatch, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  dialerThrough,
  dialThrough,
  fakeProxy,
  type Turn,
} from "../../../tests/support/fake_proxy.ts";
import {
  bytesOf,
  noise,
  readBytes,
  textOf,
  writeAll,
} from "../../../tests/support/local_services.ts";
import { RatholeError } from "../../runtime/errors.ts";

const SERVER = { hostname: "tunnel.example", port: 0x1234 };
const REQUEST = Uint8Array.of(5, 1, 0, 3, 14, ...bytesOf("tunnel.example"), 0x12, 0x34);
const PROOF = Uint8Array.of(1, 2, ...bytesOf("me"), 7, ...bytesOf("hunter2"));
const GREETING = Uint8Array.of(5, 1, 0);
const REPLIES = [
  Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 1, 0, 1),
  Uint8Array.of(5, 0, 0, 3, 3, 97, 98, 99, 0, 1),
  Uint8Array.of(5, 0, 0, 3, 0, 0, 1),
  Uint8Array.of(5, 0, 0, 4, ...noise(16), 0, 1),
];

/** A conversation without authentication that ends with this reply. */
function open(reply: Uint8Array): Turn[] {
  return [[GREETING.length, Uint8Array.of(5, 0)], [REQUEST.length, reply]];
}

/** The same with user and password. */
function proven(verdict: Uint8Array, reply: Uint8Array): Turn[] {
  return [[4, Uint8Array.of(5, 2)], [PROOF.length, verdict], [REQUEST.length, reply]];
}

/** Dials through a proxy that holds this conversation, and resolves with the error. */
async function refusal(turns: readonly Turn[], userinfo = ""): Promise<RatholeError> {
  const all = turns.reduce((sum, [, answer]) => sum + answer.length, 0);
  await using proxy = fakeProxy([...turns, [0, Uint8Array.of(0)]], { cutAfter: all });
  try {
    const socket = await dialThrough("socks5", proxy.address, SERVER, { userinfo });
    socket.close();
  } catch (error) {
    ok(error instanceof RatholeError, `${error}`);
    equal(error.code, "proxy", error.message);
    match(error.message, new RegExp(`^the proxy 127\\.0\\.0\\.1:${proxy.address.port} `));
    doesNotMatch(Deno.inspect(error), /hunter2/);
    return error;
  }
  throw new Error("the tunnel came about");
}

Deno.test("SOCKS5: replies with every kind of address leave the tunnel's bytes alone", async () => {
  for (const reply of REPLIES) {
    for (const chunk of [1, Infinity]) {
      // What comes right after the reply is the tunnel's.
      const turns = open(Uint8Array.of(...reply, ...bytesOf("first")));
      await using proxy = fakeProxy(turns, { chunk });
      using socket = await dialThrough("socks5", proxy.address, SERVER);
      equal(textOf(await readBytes(socket, 5)), "first");
      await writeAll(socket, bytesOf("hello"));
      equal(textOf(await readBytes(socket, 5)), "hello");
      deepEqual(proxy.heard, [GREETING, REQUEST]);
    }
  }
});

Deno.test("SOCKS5: IP addresses go as such, names in ASCII", async () => {
  const cases = [
    ["192.0.2.1", Uint8Array.of(5, 1, 0, 1, 192, 0, 2, 1, 0, 80)],
    ["2001:db8::1", Uint8Array.of(5, 1, 0, 4, 32, 1, 13, 184, ...new Uint8Array(11), 1, 0, 80)],
    ["bücher.example", Uint8Array.of(5, 1, 0, 3, 21, ...bytesOf("xn--bcher-kva.example"), 0, 80)],
    ["x".repeat(255), Uint8Array.of(5, 1, 0, 3, 255, ...bytesOf("x".repeat(255)), 0, 80)],
  ] as const;
  for (const [hostname, request] of cases) {
    await using proxy = fakeProxy([
      [GREETING.length, Uint8Array.of(5, 0)],
      [request.length, REPLIES[0] ?? GREETING],
    ]);
    using _socket = await dialThrough("socks5", proxy.address, { hostname, port: 80 });
    deepEqual(proxy.heard[1], request);
  }
});

Deno.test("SOCKS5: user and password, where the proxy chooses them", async () => {
  const reply = REPLIES[0] ?? GREETING;
  for (const version of [1, 5]) {
    await using proxy = fakeProxy(proven(Uint8Array.of(version, 0), reply));
    using _socket = await dialThrough("socks5", proxy.address, SERVER, { userinfo: "me:hunter2@" });
    deepEqual(proxy.heard, [Uint8Array.of(5, 2, 0, 2), PROOF, REQUEST]);
  }
  await using proxy = fakeProxy([[4, Uint8Array.of(5, 0)], [REQUEST.length, reply]]);
  using _socket = await dialThrough("socks5", proxy.address, SERVER, { userinfo: "me:hunter2@" });
  deepEqual(proxy.heard[1], REQUEST);
});

Deno.test("SOCKS5: what it cannot carry is refused before anything is dialled", async () => {
  const long = "x".repeat(256);
  for (const [userinfo, what] of [[`${long}:p`, "user name"], [`u:${long}`, "password"]]) {
    throws(() => dialerThrough(`socks5://${userinfo}@127.0.0.1:1`), (error: RatholeError) => {
      equal(error.code, "config");
      match(error.message, new RegExp(`the ${what} is longer than the 255 bytes`));
      doesNotMatch(error.message, /xx/);
      return true;
    });
  }
  // Two bytes each in UTF-8.
  throws(() => dialerThrough(`socks5://${"ü".repeat(128)}@127.0.0.1:1`), { code: "config" });
  dialerThrough(`socks5://${"ü".repeat(127)}:${"x".repeat(255)}@127.0.0.1:1`);
  const at = { hostname: "127.0.0.1", port: 1 };
  for (
    const [hostname, message] of [
      [long, /longer than the 255 bytes/],
      ["fe80::1%eth0", /has an IPv6 zone/],
      ["a\u0000b", /not a name/],
    ] as const
  ) {
    await rejects(dialThrough("socks5", at, { hostname, port: 1 }), { code: "config", message });
  }
});

Deno.test("SOCKS5: every reply code is a sentence", async () => {
  const sentences = new Set<string>();
  for (let status = 1; status <= 9; status++) {
    const { message } = await refusal(open(Uint8Array.of(5, status, 0, 1)));
    sentences.add(message.replace(/^the proxy \S+ /, ""));
  }
  equal(sentences.size, 9);
  match([...sentences][4] ?? "", /^was refused by tunnel\.example:4660; is the server running\?$/);
  match([...sentences][8] ?? "", /\(SOCKS5 status 9\)$/);
});

Deno.test("SOCKS5: refused, wanted and unknown authentication", async () => {
  const none = Uint8Array.of(5, 0xff);
  const userinfo = "me:hunter2@";
  match((await refusal([[3, none]])).message, /wants authentication; write user and password/);
  match((await refusal([[4, none]], userinfo)).message, /takes neither/);
  match((await refusal([[3, Uint8Array.of(5, 2)]])).message, /chose authentication method 2/);
  match((await refusal([[4, Uint8Array.of(5, 1)]], userinfo)).message, /method 1/);
  const wrong = proven(Uint8Array.of(1, 1), GREETING).slice(0, 2);
  match((await refusal(wrong, userinfo)).message, /refused the user name or password/);
});

Deno.test("SOCKS5: what is no answer to it", async () => {
  for (
    const [turns, message] of [
      [[], /closed the connection in answer to the SOCKS5 greeting$/],
      [[[3, bytesOf("HTTP/1.1 400 Bad Request\r\n\r\n")]], /speaks HTTP; write http:\/\//],
      [[[3, Uint8Array.of(0, 0x5b)]], /speaks SOCKS4/],
      [[[3, bytesOf("SSH-2.0")]], /does not speak SOCKS5/],
      [open(Uint8Array.of(4, 0, 0, 1)), /SOCKS4/],
      [open(Uint8Array.of(5, 0, 0, 2, 1, 1)), /address of unknown type 2/],
    ] satisfies [Turn[], RegExp][]
  ) {
    match((await refusal(turns)).message, message);
  }
  const garbage = proven(Uint8Array.of(9, 0), GREETING).slice(0, 2);
  match((await refusal(garbage, "me:hunter2@")).message, /does not speak SOCKS5/);
});

Deno.test("SOCKS5: a handshake cut at any byte is no tunnel", async () => {
  for (const reply of REPLIES) {
    const length = 2 + 2 + reply.length;
    for (let cutAfter = 0; cutAfter < length; cutAfter++) {
      await using proxy = fakeProxy(proven(Uint8Array.of(1, 0), reply), { cutAfter });
      const dialled = dialThrough("socks5", proxy.address, SERVER, { userinfo: "me:hunter2@" });
      await rejects(dialled, { code: "proxy", message: /^the proxy .* closed the connection in/ });
    }
  }
});

Deno.test("property: whatever comes instead of an answer is an error of code `proxy`", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      fc.pre(bytes[0] !== 5);
      await refusal([[3, bytes]]);
    }),
    { numRuns: 60 },
  );
});
