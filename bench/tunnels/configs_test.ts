import { deepEqual, match } from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { frpConfigs, ratholeConfigs, type Service } from "./configs.ts";

const SERVICES: readonly Service[] = [
  { name: "web", type: "tcp", door: 1001, local: 2001 },
  { name: "iperf3_udp", type: "udp", door: 1002, local: 2002 },
];

Deno.test("ratholeConfigs - services between their doors and what is behind them", () => {
  const { client, server } = ratholeConfigs(1000, SERVICES, {
    server: `[server.transport]\ntype = "tcp"`,
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

Deno.test("frpConfigs - the same, in plain and with as much in reserve", () => {
  const { client, server } = frpConfigs(1000, SERVICES);
  match(server, /^bindPort = 1000$/m);
  match(server, /^transport\.maxPoolCount = 8$/m);
  match(client, /^transport\.poolCount = 8$/m);
  match(client, /^transport\.tls\.enable = false$/m);
  match(
    client,
    /name = "web"\ntype = "tcp"\nlocalIP = "127.0.0.1"\nlocalPort = 2001\nremotePort = 1001\n/,
  );
});
