import { CLIENT, SERVER, table } from "../../tests/support/expect_report.ts";
import { keepaliveWarning } from "./transport_rules.ts";

Deno.test("blocks of transports: missing, not used, of the other side", () => {
  table([
    [
      CLIENT + "transport = { type = 'websocket' }",
      "f:5:1: client.transport.websocket: is missing; write [client.transport.websocket] with " +
      "tls = true or false",
    ],
    [
      CLIENT + "transport = { type = 'websocket', websocket = {} }",
      "f:5:35: client.transport.websocket.tls: is missing; write tls = true",
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
  ]);
});

Deno.test("keys of transports that belong elsewhere", () => {
  table([
    [
      CLIENT + "[client.transport.noise]\nprivate_key = 'hunter2'\n[client.transport.tls]\n" +
      "host = 'a'\n[client.transport.websocket]\ntls = false\nheader = {}\nclient_ca = 'b'",
      "f:5:1: warning: client.transport.noise: is not used, since client.transport.type is not " +
      'written; write type = "noise" to use it',
      "f:6:1: client.transport.noise.private_key: is not a key of [client.transport.noise]; the " +
      "key here is local_private_key",
      "f:7:1: warning: client.transport.tls: is not used, since client.transport.type is not " +
      'written; write type = "tls" to use it',
      "f:8:1: client.transport.tls.host: is not a key of [client.transport.tls]; the key here is " +
      "hostname",
      "f:9:1: warning: client.transport.websocket: is not used, since client.transport.type is not " +
      'written; write type = "websocket" to use it',
      "f:11:1: client.transport.websocket.header: is not a key of [client.transport.websocket]; " +
      "did you mean headers?",
      "f:12:1: client.transport.websocket.client_ca: is not a key of [client.transport.websocket]; " +
      "it belongs in [client.transport.tls]",
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
