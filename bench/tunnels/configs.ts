/**
 * What the two ends of a tunnel are told.
 *
 * @module
 */

/** A service of a tunnel: the ports of 127.0.0.1 that are its door and what is behind it. */
export interface Service {
  readonly name: string;
  readonly type: "tcp" | "udp";
  readonly door: number;
  readonly local: number;
}

/** A configuration file for each end. */
export interface Configs {
  readonly server: string;
  readonly client: string;
}

/** For rathole and for ours: all as it comes, with more lines for the transport. */
export function ratholeConfigs(
  control: number,
  services: readonly Service[],
  transport: Partial<Configs> = {},
): Configs {
  const server = [`[server]\nbind_addr = "127.0.0.1:${control}"\ndefault_token = "t"`];
  const client = [`[client]\nremote_addr = "127.0.0.1:${control}"\ndefault_token = "t"`];
  server.push(transport.server ?? "");
  client.push(transport.client ?? "");
  for (const { door, local, name, type } of services) {
    const of = (side: string) => `[${side}.services.${name}]\ntype = "${type}"`;
    server.push(`${of("server")}\nbind_addr = "127.0.0.1:${door}"`);
    client.push(`${of("client")}\nlocal_addr = "127.0.0.1:${local}"`);
  }
  return { server: `${server.join("\n")}\n`, client: `${client.join("\n")}\n` };
}

/**
 * For frp: plain TCP as in the others, and as many connections in reserve as these have for a
 * service. Its log has a line for every visitor, which the others' have not, so it is quieter.
 */
export function frpConfigs(control: number, services: readonly Service[]): Configs {
  const both = `auth.token = "t"\nlog.level = "warn"\n`;
  const server = `${both}bindAddr = "127.0.0.1"\nbindPort = ${control}
proxyBindAddr = "127.0.0.1"\ntransport.maxPoolCount = 8\n`;
  const client = `${both}serverAddr = "127.0.0.1"\nserverPort = ${control}\nloginFailExit = false
transport.protocol = "tcp"\ntransport.tls.enable = false\ntransport.poolCount = 8\n`;
  const proxies = services.map(({ door, local, name, type }) =>
    `[[proxies]]\nname = "${name}"\ntype = "${type}"\nlocalIP = "127.0.0.1"
localPort = ${local}\nremotePort = ${door}\n`
  );
  return { server, client: client + proxies.join("") };
}
