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

/** Where all is, unless something lies between the ends. */
export const HOST = "127.0.0.1";

/** The server's address, as host and port. */
export interface Place {
  /** Where it listens. */
  readonly bind: string;
  /** Where the client looks for it. */
  readonly remote: string;
}

/** What rathole and ours are told besides; nothing unless told. */
export interface More {
  /** Lines for the transport. */
  readonly transport?: Partial<Configs>;
  /** Of ours alone: how many connections visitors may share. */
  readonly carriers?: number;
}

/** For rathole and for ours: all as it comes, but for what is in `more`. */
export function ratholeConfigs(
  { bind, remote }: Place,
  services: readonly Service[],
  { carriers, transport = {} }: More = {},
): Configs {
  const both = carriers === undefined ? "" : `\ncarriers = ${carriers}`;
  const server = [`[server]\nbind_addr = "${bind}"\ndefault_token = "t"${both}`];
  const client = [`[client]\nremote_addr = "${remote}"\ndefault_token = "t"${both}`];
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
export function frpConfigs({ bind, remote }: Place, services: readonly Service[]): Configs {
  const [bindHost, bindPort] = bind.split(":");
  const [remoteHost, remotePort] = remote.split(":");
  const both = `auth.token = "t"\nlog.level = "warn"\n`;
  const server = `${both}bindAddr = "${bindHost}"\nbindPort = ${bindPort}
proxyBindAddr = "127.0.0.1"\ntransport.maxPoolCount = 8\n`;
  const client = `${both}serverAddr = "${remoteHost}"\nserverPort = ${remotePort}
loginFailExit = false\ntransport.protocol = "tcp"\ntransport.tls.enable = false\ntransport.poolCount = 8\n`;
  const proxies = services.map(({ door, local, name, type }) =>
    `[[proxies]]\nname = "${name}"\ntype = "${type}"\nlocalIP = "127.0.0.1"
localPort = ${local}\nremotePort = ${door}\n`
  );
  return { server, client: client + proxies.join("") };
}
