import { deepEqual, doesNotMatch, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { dialerThrough, dialThrough, fakeProxy } from "../../../tests/support/fake_proxy.ts";
import {
  bytesOf,
  noise,
  readBytes,
  tcpService,
  textOf,
  writeAll,
} from "../../../tests/support/local_services.ts";
import { RatholeError } from "../../runtime/errors.ts";

const SERVER = { hostname: "tunnel.example", port: 2333 };
const REQUEST = "CONNECT tunnel.example:2333 HTTP/1.1\r\nHost: tunnel.example:2333\r\n\r\n";
const OK = "HTTP/1.1 200 Connection established\r\nVia: 1.1 here\r\n\r\n";

/** Dials through a proxy that gives this answer, and resolves with the error. */
async function refusal(answer: string | Uint8Array, userinfo = ""): Promise<RatholeError> {
  const bytes = typeof answer === "string" ? bytesOf(answer) : answer;
  await using proxy = tcpService(async (connection) => {
    let request = "";
    while (!request.endsWith("\r\n\r\n")) request += textOf(await readBytes(connection, 1));
    await writeAll(connection, bytes);
    await connection.closeWrite();
    await readBytes(connection, 1);
  });
  try {
    const socket = await dialThrough("http", proxy.address, SERVER, { userinfo });
    socket.close();
  } catch (error) {
    ok(error instanceof RatholeError, `${error}`);
    equal(error.code, "proxy", error.message);
    match(error.message, new RegExp(`^the proxy 127\\.0\\.0\\.1:${proxy.address.port} `));
    return error;
  }
  throw new Error("the tunnel came about");
}

Deno.test("CONNECT: the request, and a tunnel whose first byte comes after the answer", async () => {
  for (
    const answer of [
      OK,
      "HTTP/1.0 200 OK\r\n\r\n",
      "HTTP/1.1 299\n\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 204 Fine\r\n\r\n",
    ]
  ) {
    for (const chunk of [1, 7, Infinity]) {
      await using proxy = fakeProxy([[REQUEST.length, bytesOf(answer)]], { chunk });
      using socket = await dialThrough("http", proxy.address, SERVER);
      await writeAll(socket, bytesOf("hello"));
      equal(textOf(await readBytes(socket, 5)), "hello");
      deepEqual(proxy.heard.map(textOf), [REQUEST]);
    }
  }
});

Deno.test("CONNECT: user and password as UTF-8 in Base64, IPv6 in brackets, names in ASCII", async () => {
  const head = (authority: string, more = "") =>
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${more}\r\n`;
  const basic = (text: string) => `Proxy-Authorization: Basic ${bytesOf(text).toBase64()}\r\n`;
  const cases = [
    ["", "2001:db8::1", head("[2001:db8::1]:443")],
    ["", "münchen.example", head("xn--mnchen-3ya.example:443")],
    ["p%40ss:w%3Ard%25@", "192.0.2.1", head("192.0.2.1:443", basic("p@ss:w:rd%"))],
    ["j%C3%BCrgen@", "h", head("h:443", basic("jürgen:"))],
  ] as const;
  for (const [userinfo, hostname, request] of cases) {
    await using proxy = fakeProxy([[request.length, bytesOf(OK)]]);
    const to = { hostname, port: 443 };
    using _socket = await dialThrough("http", proxy.address, to, { userinfo });
    deepEqual(proxy.heard.map(textOf), [request]);
  }
});

Deno.test("CONNECT: a user name with a colon is refused before anything is dialled", () => {
  throws(() => dialerThrough("http://a%3Ab:c@127.0.0.1:1"), {
    code: "config",
    message: /user name has a colon/,
  });
});

Deno.test("CONNECT: every refusal is a sentence with the status", async () => {
  for (
    const [status, message] of [
      [300, /refused to connect to tunnel\.example:2333 \(300\)$/],
      [400, /refused to connect to tunnel\.example:2333 \(400\)$/],
      [403, /does not allow connections to tunnel\.example:2333; .* \(403\)$/],
      [405, /does not know CONNECT; .* \(405\)$/],
      [502, /could not connect to tunnel\.example:2333; .* \(502\)$/],
      [503, /could not connect to .* \(503\)$/],
      [504, /got no answer from tunnel\.example:2333 in time \(504\)$/],
    ] as const
  ) {
    const { message: said } = await refusal(`HTTP/1.1 ${status} Reason\r\nA: b\r\n\r\n<html>`);
    match(said, message);
  }
});

Deno.test("CONNECT: 407 says what is missing, and nothing that was sent or received", async () => {
  const reply = (headers = "") => `HTTP/1.1 407 hunter2\r\n${headers}\r\nhunter2`;
  const without = await refusal(reply());
  match(without.message, /wants a user name and a password; .* \(407\)$/);
  const basic = reply('Proxy-Authenticate: Digest realm="hunter2"\r\nproxy-authenticate:BASIC\r\n');
  const wrong = await refusal(basic, "me:hunter2@");
  match(wrong.message, /refused the user name or password; .* \(407\)$/);
  const ntlm = reply("Proxy-Authenticate: NTLM hunter2\r\nProxy-Authenticate: Negotiate\r\n");
  const other = await refusal(ntlm, "me:hunter2@");
  match(other.message, /takes only NTLM, Negotiate authentication/);
  const strange = await refusal(reply("Proxy-Authenticate: hunter2\r\n"), "me:hunter2@");
  match(strange.message, /takes only other authentication/);
  const tinyproxy = await refusal("HTTP/1.1 401 hunter2\r\n\r\nhunter2", "me:hunter2@");
  match(tinyproxy.message, /refused the user name or password; .* \(401\)$/);
  for (const error of [without, wrong, other, strange, tinyproxy]) {
    doesNotMatch(Deno.inspect(error), /hunter2/);
  }
});

Deno.test("CONNECT: what is no answer to it", async () => {
  for (
    const [answer, message] of [
      ["", /closed the connection in answer to CONNECT tunnel\.example:2333$/],
      ["SSH-2.0-OpenSSH_9.2\r\n", /does not speak HTTP/],
      ["HTTP/2 200\r\n\r\n", /does not speak HTTP/],
      [Uint8Array.of(5, 0xff), /speaks SOCKS5; write socks5:\/\//],
      [noise(20_000, 3), /does not speak HTTP/],
      ["HTTP/1.1 20x OK\r\n\r\n", /not HTTP/],
      ["HTTP/1.1 2000 OK\r\n\r\n", /not HTTP/],
      ["HTTP/1.1 099 OK\r\n\r\n", /not HTTP/],
      [`${OK}x`, /sent something before the tunnel did/],
      [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}`, /more than 16384 bytes/],
      ["HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), /more than 16384 bytes/],
    ] as const
  ) {
    match((await refusal(answer)).message, message);
  }
});

Deno.test("CONNECT: an answer cut at any byte is no tunnel", async () => {
  const answer = bytesOf(OK);
  for (let cutAfter = 0; cutAfter < answer.length; cutAfter++) {
    await using proxy = fakeProxy([[REQUEST.length, answer]], { cutAfter });
    await rejects(dialThrough("http", proxy.address, SERVER), { code: "proxy" });
  }
});

Deno.test("CONNECT: a head of 16 KiB is taken, one byte more is not", async () => {
  const head = (length: number) => {
    const start = "HTTP/1.1 200 OK\r\nX: ";
    return `${start}${"x".repeat(length - start.length - 4)}\r\n\r\n`;
  };
  await using proxy = fakeProxy([[REQUEST.length, bytesOf(head(16_384))]]);
  using _socket = await dialThrough("http", proxy.address, SERVER);
  match((await refusal(head(16_385))).message, /more than 16384 bytes/);
});

Deno.test("property: whatever comes instead of an answer is an error of code `proxy`", async () => {
  const start = fc.constantFrom("", "HTTP/1.", "HTTP/1.1 ", "HTTP/1.1 200", "HTTP/1.1 407 x\r\n");
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(start, bytes, async (start, rest) => {
      // What happens to be right is for the other tests.
      fc.pre(!/\n\r?\n/.test(start + textOf(rest)));
      await refusal(Uint8Array.of(...bytesOf(start), ...rest));
    }),
    { numRuns: 60 },
  );
});
