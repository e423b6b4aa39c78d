import { CLIENT, SERVER, table } from "../../tests/support/expect_report.ts";

const EITHER = "write certificate and private_key, or pkcs12 and pkcs12_password";

function tls(side: string, keys: string): string {
  return `${side}transport = { type = 'tls', tls = { ${keys} } }`;
}

Deno.test("a server shows one certificate, from PEM files or from a PKCS#12 file", () => {
  const at = "server.transport.tls";
  table([
    [tls(SERVER, "certificate = 'a', private_key = 'b'")],
    [tls(SERVER, "certificate = 'a', private_key = 'b', client_ca = 'c'")],
    [tls(SERVER, "pkcs12 = 'a', pkcs12_password = ''")],
    [
      SERVER + "transport = { type = 'tls' }",
      `f:5:1: ${at}: is missing; write [${at}] with certificate and private_key, or pkcs12 and ` +
      "pkcs12_password",
    ],
    [
      SERVER + "transport = { type = 'websocket', websocket = { tls = true } }",
      `f:5:1: ${at}: is missing; write [${at}] with certificate and private_key, or pkcs12 and ` +
      "pkcs12_password",
    ],
    [tls(SERVER, "client_ca = 'c'"), `f:5:29: ${at}: names no certificate; ${EITHER}`],
    [
      tls(
        SERVER,
        "certificate = 'a', private_key = 'b', pkcs12 = 'c', pkcs12_password = 'hunter2'",
      ),
      `f:5:75: ${at}.pkcs12 = "c": is there besides certificate, and only one certificate can be ` +
      `shown; ${EITHER}`,
    ],
    [
      tls(SERVER, "pkcs12_password = 'hunter2', private_key = 'b'"),
      `f:5:37: ${at}.pkcs12_password = ***: is there besides private_key, and only one certificate ` +
      `can be shown; ${EITHER}`,
    ],
    [
      tls(SERVER, "certificate = 'a'"),
      `f:5:29: ${at}.private_key: is missing; write private_key = "server.key"`,
    ],
    [
      tls(SERVER, "private_key = 'a'"),
      `f:5:29: ${at}.certificate: is missing; write certificate = "server.pem"`,
    ],
    [
      tls(SERVER, "pkcs12 = 'a', hostname = 'b'"),
      `f:5:29: ${at}.pkcs12_password: is missing; write pkcs12_password = "password of the file"`,
      `f:5:51: warning: ${at}.hostname = "b": has no effect; only a client uses it`,
    ],
    [
      tls(SERVER, "pkcs12_password = 'hunter2'"),
      `f:5:29: ${at}.pkcs12: is missing; write pkcs12 = "identity.pfx"`,
    ],
  ]);
});

Deno.test("a client shows a certificate with its key, or none", () => {
  const at = "client.transport.tls";
  const missing = `f:5:1: ${at}: is missing; write [${at}], if only empty`;
  table([
    [tls(CLIENT, "")],
    [tls(CLIENT, "trusted_root = 'a', hostname = 'b', certificate = 'c', private_key = 'd'")],
    [CLIENT + "transport = { type = 'tls' }", missing],
    [CLIENT + "transport = { type = 'websocket', websocket = { tls = true } }", missing],
    [
      tls(CLIENT, "certificate = 'a'"),
      `f:5:29: ${at}.private_key: is missing; write private_key = "client.key"`,
    ],
    [
      tls(CLIENT, "private_key = 'a', client_ca = 'b'"),
      `f:5:29: ${at}.certificate: is missing; write certificate = "client.pem"`,
      `f:5:56: warning: ${at}.client_ca = "b": has no effect; only a server uses it`,
    ],
    [
      tls(CLIENT, "pkcs12 = 'a'"),
      `f:5:37: warning: ${at}.pkcs12 = "a": has no effect; only a server uses it`,
    ],
    [
      CLIENT + "transport = { type = 'tls', tls = 'hunter2' }",
      `f:5:29: ${at}: is text; write it as a table, [${at}]`,
    ],
  ]);
});

Deno.test("the name that a server's certificate must carry is a host's", () => {
  const at = "client.transport.tls.hostname";
  const problem = "is no host name; write the name or IP address in the server's certificate, " +
    "without a port";
  table([
    ...["example.com", "bücher.example", "127.0.0.1", "::1", "my_box"].map((
      name,
    ): [string] => [tls(CLIENT, `hostname = '${name}'`)]),
    ...["bad name", "example.com:443", "https://example.com", ""].map((
      name,
    ): [string, string] => [
      tls(CLIENT, `hostname = '${name}'`),
      `f:5:37: ${at} = ${JSON.stringify(name)}: ${problem}`,
    ]),
  ]);
});
