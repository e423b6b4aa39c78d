import { deepEqual, doesNotMatch, match, notDeepEqual } from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { frpConfigs, ratholeConfigs, type Service } from "./configs.ts";

const SERVICES: readonly Service[] = [
  { name: "web", type: "tcp", door: 1001, local: 2001 },
  { name: "iperf3_udp", type: "udp", door: 1002, local: 2002 },
];

const PLACE = { bind: "127.0.0.1:1000", remote: "10.0.0.1:1003" };

Deno.test("ratholeConfigs - services between their doors and what is behind them", () => {
  const { client, server } = ratholeConfigs(PLACE, SERVICES, {
    transport: { server: `[server.transport]\ntype = "tcp"` },
  });
  const services = [...parseConfig(server).config.server?.services.values() ?? []];
  deepEqual(services.map(({ bind_addr, type }) => `${type} ${bind_addr}`), [
    "tcp 127.0.0.1:1001",
    "udp 127.0.0.1:1002",
  ]);
  const behind = [...parseConfig(client).config.client?.services.values() ?? []];
  deepEqual(behind.map(({ local_addr, type }) => `${type} ${local_addr}`), [
    "tcp 127.0.0.1:2001",
    "udp 127.0.0.1:2002",
  ]);
});

Deno.test("ratholeConfigs - where the ends meet, and whether visitors share connections", () => {
  const options = (carriers?: number) => {
    const more = carriers === undefined ? {} : { carriers };
    const { client, server } = ratholeConfigs(PLACE, SERVICES, more);
    const ends = [parseConfig(server).config.server, parseConfig(client).config.client];
    return [ends.map((end) => end?.carriers), `${server}${client}`] as const;
  };
  const [usual, text] = options();
  match(text, /^bind_addr = "127\.0\.0\.1:1000"$[^]*^remote_addr = "10\.0\.0\.1:1003"$/m);
  doesNotMatch(text, /carriers/);
  deepEqual(options(0)[0], [0, 0]);
  notDeepEqual(usual, [0, 0]);
});

Deno.test("frpConfigs - the same, in plain and with as much in reserve", () => {
  const { client, server } = frpConfigs(PLACE, SERVICES);
  match(server, /^bindPort = 1000$/m);
  match(client, /^serverAddr = "10\.0\.0\.1"\nserverPort = 1003\nloginFailExit = false$/m);
  match(server, /^transport\.maxPoolCount = 8$/m);
  match(client, /^transport\.poolCount = 8$/m);
  match(client, /^transport\.tls\.enable = false$/m);
  match(
    client,
    /name = "web"\ntype = "tcp"\nlocalIP = "127.0.0.1"\nlocalPort = 2001\nremotePort = 1001\n/,
  );
});
