import assert from "node:assert/strict";
import { CLIENT, report, SERVER, table } from "../../tests/support/expect_report.ts";
import { validateClientConfig, validateServerConfig } from "./validate.ts";

const OPEN =
  "leaves the tunnel unencrypted, so that anybody on the way can read and change what it " +
  "carries; write";
const GOOD = "9b1f0c7ad2e64c8f";

function server(rest: string, bind = "0.0.0.0:2333"): string {
  return `[server]\nservices = {}\nbind_addr = "${bind}"\n${rest}`;
}

function client(rest: string, remote = "example.com:2333"): string {
  return `[client]\nservices = {}\nremote_addr = "${remote}"\n${rest}`;
}

Deno.test("a transport without encryption on the network is told of, where it was chosen", () => {
  table([
    [
      server(""),
      `f:1:1: warning: server.transport.type: is "tcp" by default, which ${OPEN} type = "tls" or ` +
      '"noise"',
    ],
    [
      client('transport.type = "tcp"'),
      `f:4:11: warning: client.transport.type = "tcp": ${OPEN} type = "tls" or "noise"`,
    ],
    [
      client('[client.transport]\ntype = "websocket"\nwebsocket.tls = false'),
      `f:6:11: warning: client.transport.websocket.tls = false: ${OPEN} true`,
    ],
    [
      server('[server.transport]\ntype = "websocket"\nwebsocket.tls = false', "10.0.0.1:80"),
      `f:6:11: warning: server.transport.websocket.tls = false: ${OPEN} true, or have bind_addr on ` +
      "127.0.0.1 behind a proxy that speaks TLS",
    ],
    [client('[client.transport]\ntype = "websocket"\nwebsocket.tls = true\ntls = {}')],
    [client('[client.transport]\ntype = "tls"\ntls = {}')],
    ...["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1"].flatMap((address) => [
      [server('default_token = "t"', address)] as const,
      [client('default_token = "t"', address)] as const,
    ]),
  ]);
});

/** What is said of a token, by the first words. */
function judged(token: string): string | undefined {
  const text = client(`default_token = '${token}'\ntransport = { type = "tls", tls = {} }`);
  const lines = report(text);
  assert.ok(lines.length <= 1, lines.join("\n"));
  assert.ok(token.length < 2 || !lines.join().includes(token), "the token is shown");
  return /\*\*\*: (is (?:empty|an example|so short))/.exec(lines[0] ?? "")?.[1];
}

Deno.test("tokens that can be guessed are told from those that cannot", () => {
  for (
    const token of [
      "t",
      "hunter2",
      "password1234",
      "0".repeat(64),
      "abcabcabcabcabcabc",
      "1234567890123456789",
    ]
  ) {
    assert.equal(judged(token), "is so short", token);
  }
  for (const token of ["use_a_secret_that_only_you_know", "default_token_if_not_specify"]) {
    assert.equal(judged(token), "is an example", token);
  }
  assert.equal(judged(""), "is empty");
  for (
    const token of [GOOD, "correct horse battery staple", "dGhlIHF1aWNrIGJyb3du", "пароль из слов"]
  ) {
    assert.equal(judged(token), undefined, token);
  }
});

Deno.test("the token of a service is judged where it stands", () => {
  table([[
    '[server]\nbind_addr = "0.0.0.0:1"\ntransport = { type = "noise", noise = { ' +
    `local_private_key = "${btoa("k".repeat(32))}" } }\n[server.services.x]\nbind_addr = "a:1"\n` +
    'token = "hunter2"',
    "f:6:1: warning: server.services.x.token = ***: is so short or so uniform that it can be " +
    "guessed; write a long random text, such as openssl rand -hex 24 prints",
  ]]);
});

Deno.test("strict refuses with the same words, all at once", () => {
  for (
    const text of [
      server('default_token = "t"'),
      client('default_token = "use_a_secret_that_only_you_know"\ntransport.type = "tcp"'),
      client(
        `default_token = "${GOOD}"\ntransport = { type = "websocket", websocket.tls = false }`,
      ),
      SERVER.replace('"t"', '""'),
      CLIENT + '[client.transport]\ntype = "noise"\nnoise.pattern = "Noise_XX_25519_AESGCM_SHA256"',
      CLIENT + '[client.transport]\ntype = "noise"\nnoise.pattern = "Noise_NN_25519_AESGCM_SHA256"',
    ]
  ) {
    const lenient = report(text);
    assert.ok(lenient.length > 0 && lenient.every((line) => line.includes(": warning: ")), text);
    const strict = report(
      text.replace("services = {}", "services = {}\nstrict = true"),
    );
    const words = (lines: string[]) => lines.map((line) => line.replace(/^f:\S+ (warning: )?/, ""));
    assert.deepEqual(words(strict), words(lenient));
    assert.ok(strict.every((line) => !line.includes(": warning: ")), strict.join("\n"));
  }
});

Deno.test("what is safe passes under strict, and so does any token on this machine's own address", () => {
  table([
    [client(`strict = true\ndefault_token = "${GOOD}"\ntransport = { type = "tls", tls = {} }`)],
    [server('strict = true\ndefault_token = "t"', "127.0.0.1:1")],
  ]);
});

Deno.test("programs can be strict too", () => {
  const services = {};
  assert.throws(
    () => validateServerConfig({ bind_addr: "0.0.0.0:1", services, strict: true }),
    /^ConfigError: server\.transport\.type: is "tcp" by default, which leaves the tunnel/,
  );
  assert.throws(
    () => validateClientConfig({ remote_addr: "a:1", services, strict: true, default_token: "t" }),
    /client\.default_token = \*\*\*: is so short/,
  );
  assert.equal(validateClientConfig({ remote_addr: "a:1", services }).strict, false);
});
