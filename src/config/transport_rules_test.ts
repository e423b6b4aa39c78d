import { CLIENT, SERVER, table } from "../../tests/support/expect_report.ts";
import { keepaliveWarning } from "./transport_rules.ts";

Deno.test("transports", () => {
  const tls = "[server.transport]\ntype = 'tls'\n";
  const noise = "[client.transport]\ntype = 'noise'\n[client.transport.noise]\n";
  const name = "Noise_KKpsk0_25519_ChaChaPoly_BLAKE2s";
  const psk = `client.transport.noise.pattern = "${name}": asks for a pre-shared key, which the ` +
    "configuration has no key for; leave the psk modifier out";
  const noTls =
    "f:5:1: client.transport.tls: is missing; write [client.transport.tls], if only empty";
  table([
    [
      SERVER + tls,
      "f:5:1: server.transport.tls: is missing; write [server.transport.tls] with pkcs12 and " +
      "pkcs12_password",
    ],
    [
      SERVER + tls + "tls = { pkcs12 = 'a', hostname = 'b' }",
      "f:7:1: server.transport.tls.pkcs12_password: is missing; write pkcs12_password = " +
      '"password of the file"',
      'f:7:23: warning: server.transport.tls.hostname = "b": has no effect; only a client uses it',
    ],
    [CLIENT + "transport = { type = 'tls' }", noTls],
    [CLIENT + "transport = { type = 'websocket', websocket = { tls = true } }", noTls],
    [
      CLIENT + "transport = { type = 'websocket' }",
      "f:5:1: client.transport.websocket: is missing; write [client.transport.websocket] with " +
      "tls = true or false",
    ],
    [
      CLIENT + "transport = { type = 'websocket', websocket = {} }",
      "f:5:35: client.transport.websocket.tls: is missing; write tls = false",
    ],
    [
      CLIENT + "transport = { type = 'websocket', websocket = { tls = false }, tls = {} }",
      "f:5:64: warning: client.transport.tls: is not used, since websocket.tls is false; write " +
      "tls = true there to use it",
    ],
    [
      CLIENT + "transport = { tls = { pkcs12_password = 'hunter2' } }",
      "f:5:15: warning: client.transport.tls: is not used, since client.transport.type is not " +
      'written; write type = "tls" to use it',
      "f:5:23: warning: client.transport.tls.pkcs12_password = ***: has no effect; only a server " +
      "uses it",
    ],
    [CLIENT + noise + `pattern = "${name}"`, `f:8:1: ${psk}`],
    [
      CLIENT + noise.replace("noise'", "tcp'") + `pattern = "${name}"`,
      'f:7:1: warning: client.transport.noise: is not used, since client.transport.type is "tcp"; ' +
      'write type = "noise" to use it',
      `f:8:1: warning: ${psk}`,
    ],
    [
      CLIENT + noise + "local_private_key = 'hunter2'",
      "f:7:1: client.transport.noise.remote_public_key: is missing, and NK needs it; write the " +
      "server's public key in base64",
      "f:8:1: client.transport.noise.local_private_key = ***: is 5 bytes long; write 32 bytes in " +
      "standard base64, as rathole --genkey prints them",
    ],
    [
      SERVER + noise.replaceAll("client", "server"),
      "f:7:1: warning: server.transport.noise.local_private_key: is missing, so that each start " +
      "makes a new key that no client knows; write the key of rathole --genkey",
    ],
  ]);
});

Deno.test("proxies", () => {
  const proxy = (url: string) => `${CLIENT}transport = { tcp = { proxy = "${url}" } }`;
  const line = (problem: string) => `f:5:23: client.transport.tcp.proxy = ***: ${problem}`;
  const help =
    "write socks5://host:port or http://host:port, with user:password@ before the host " +
    "where the proxy asks for it";
  table([
    [proxy("127.0.0.1:1080"), line(`is not a URL; ${help}`)],
    [proxy("https://u:hunter2@h:1"), line(`has a scheme that is neither socks5 nor http; ${help}`)],
    [proxy("socks5://u:hunter2@:1"), line(`has no host; ${help}`)],
    [proxy("socks5://h:99999"), line(`is not a valid URL; ${help}`)],
    [proxy("http://h:0"), line(`has port 0, which nothing listens on; ${help}`)],
    [
      proxy("http://u:12/hunter2@h:1"),
      line("has no @ where host and port end; percent-encode /, ? and # in user and password"),
    ],
    [
      SERVER + "transport = { tcp = { proxy = 'hunter2' } }",
      "f:5:23: warning: server.transport.tcp.proxy = ***: has no effect; only a client uses it",
    ],
  ]);
});

Deno.test("warnings of files that load", () => {
  table([
    [
      CLIENT.replace('"t"', '""'),
      "f:3:1: warning: client.default_token = ***: is empty, so that anybody may offer the service; " +
      "write a long random text",
    ],
    [
      CLIENT + "[client.transport.tcp]\nkeepalive_secs = 20\nkeepalive_interval = 8",
      `f:6:1: warning: client.transport.tcp.keepalive_secs = 20: ${
        keepaliveWarning("keepalive_secs")
      }`,
      `f:7:1: warning: client.transport.tcp.keepalive_interval = 8: ${
        keepaliveWarning("keepalive_interval")
      }`,
    ],
    [CLIENT + "[client.transport.tcp]\nkeepalive_secs = 0"],
    [
      SERVER.replace("{}", "{ x = { bind_addr = '[::1]:0', udp_data_channels = 2 } }"),
      "f:4:43: warning: server.services.x.udp_data_channels = 2: has no effect; only services of " +
      'type = "udp" use it',
    ],
  ]);
});
