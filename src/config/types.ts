/**
 * The configuration as the program uses it: every default filled in, every token resolved, times in
 * seconds. Names are those of the configuration file, so that file, documentation, error messages
 * and library share one vocabulary.
 *
 * @module
 */

import type { Secret } from "../runtime/secret.ts";

/** What a service carries. */
export type ServiceType = "tcp" | "udp";

/** How client and server talk to each other. */
export type TransportType = "tcp" | "tls" | "noise" | "websocket";

/** A whole file: the server's side, the client's side, or both. */
export interface Config {
  /** The `[server]` block, if there is one. */
  readonly server?: ServerConfig | undefined;
  /** The `[client]` block, if there is one. */
  readonly client?: ClientConfig | undefined;
}

/** The public end: accepts clients, and visitors on behalf of their services. */
export interface ServerConfig {
  /** Where clients connect, `host:port`; port 0 takes any free one. */
  readonly bind_addr: string;
  /** Whether an unencrypted transport and weak tokens are refused rather than warned of. */
  readonly strict: boolean;
  /** The token of services that set none. Already copied into each of them. */
  readonly default_token?: Secret | undefined;
  /** Seconds between heartbeats on a control channel; 0 sends none. */
  readonly heartbeat_interval: number;
  /** Seconds a new connection has for the transport's handshake, hello and authentication. */
  readonly handshake_timeout: number;
  /** How many connections may be in that phase at once. */
  readonly max_pending_handshakes: number;
  /** How many of them may come from one IP address. */
  readonly max_pending_handshakes_per_ip: number;
  /** How many handshakes one IP address may begin a second in the long run; ten times as many at once. */
  readonly max_handshake_rate_per_ip: number;
  /** How many attempts to authenticate may fail in a row before their IP address is refused for a while. */
  readonly max_auth_failures_per_ip: number;
  /** The most seconds that it is refused; 0 never refuses. */
  readonly max_auth_penalty: number;
  /** How many accepted connections, of clients and of visitors, may be open at once. */
  readonly max_connections: number;
  /** How many of them may come from one IP address, besides data channels that the server asked for. */
  readonly max_connections_per_ip: number;
  /** How many data channels one control channel's session may have open. */
  readonly max_data_channels: number;
  /** How many carriers a client may keep for each service. */
  readonly carriers: number;
  /** Seconds a visitor waits for a data channel before it is closed. */
  readonly visitor_timeout: number;
  /** Seconds open streams may take to finish when the server stops; 0 cuts them at once. */
  readonly drain_timeout: number;
  /** Name to service. Any text is a name, also `constructor`, `a.b` or the empty one. */
  readonly services: ReadonlyMap<string, ServerServiceConfig>;
  /** How clients are spoken to. */
  readonly transport: TransportConfig;
}

/** A service on the server's side. */
export interface ServerServiceConfig {
  /** What it carries. */
  readonly type: ServiceType;
  /** Where visitors connect, `host:port`; port 0 takes any free one. */
  readonly bind_addr: string;
  /** What a client must know to offer the service: its own token, or `default_token`. */
  readonly token: Secret;
  /** TCP_NODELAY on its data channels: its own, or `transport.tcp.nodelay`. */
  readonly nodelay: boolean;
  /** For UDP: over how many data channels visitors are spread. */
  readonly udp_data_channels: number;
}

/** The hidden end: connects out to the server, and to the local services. */
export interface ClientConfig {
  /** Where the server listens, `host:port`. */
  readonly remote_addr: string;
  /** Whether an unencrypted transport and weak tokens are refused rather than warned of. */
  readonly strict: boolean;
  /** The token of services that set none. Already copied into each of them. */
  readonly default_token?: Secret | undefined;
  /** Seconds without a heartbeat after which the control channel counts as lost; 0 waits for ever. */
  readonly heartbeat_timeout: number;
  /** The most seconds between two attempts to reach the server. */
  readonly retry_interval: number;
  /** Retries in a row before a service gives up; 0 never does. */
  readonly max_retries: number;
  /** How many carriers to keep for each service. */
  readonly carriers: number;
  /** Whether IPv6 addresses of `remote_addr` are tried first. */
  readonly prefer_ipv6: boolean;
  /** Seconds open streams may take to finish when the client stops; 0 cuts them at once. */
  readonly drain_timeout: number;
  /** Name to service. Any text is a name, also `constructor`, `a.b` or the empty one. */
  readonly services: ReadonlyMap<string, ClientServiceConfig>;
  /** How the server is spoken to. */
  readonly transport: TransportConfig;
}

/** A service on the client's side. */
export interface ClientServiceConfig {
  /** What it carries. */
  readonly type: ServiceType;
  /** Where the service itself listens, `host:port`. */
  readonly local_addr: string;
  /** What proves to the server that this client may offer it: its own token, or `default_token`. */
  readonly token: Secret;
  /** TCP_NODELAY on its data channels: its own, or `transport.tcp.nodelay`. */
  readonly nodelay: boolean;
  /** The most seconds between two attempts: its own, or the client's. */
  readonly retry_interval: number;
  /** Retries in a row before it gives up, its own or the client's; 0 never does. */
  readonly max_retries: number;
}

/** The `transport` block: which one is used, and the settings of each. */
export interface TransportConfig {
  /** The one in use. */
  readonly type: TransportType;
  /** Settings of the TCP connection below every transport. */
  readonly tcp: TcpConfig;
  /** Settings of TLS, when `type` is `tls`, or `websocket` with `websocket.tls`. */
  readonly tls?: TlsConfig | undefined;
  /** Settings of Noise. Always there when `type` is `noise`. */
  readonly noise?: NoiseConfig | undefined;
  /** Settings of WebSocket. Always there when `type` is `websocket`. */
  readonly websocket?: WebsocketConfig | undefined;
}

/** The TCP connections between client and server. */
export interface TcpConfig {
  /** TCP_NODELAY: small messages leave at once instead of being collected. */
  readonly nodelay: boolean;
  /** Seconds of silence before the first keepalive probe; 0 turns keepalive off. */
  readonly keepalive_secs: number;
  /** Seconds between keepalive probes. */
  readonly keepalive_interval: number;
  /** Client: URL of the proxy to go through. Secret, since it may hold a password. */
  readonly proxy?: Secret | undefined;
}

/** TLS between client and server. */
export interface TlsConfig {
  /** Client: the name the server's certificate must carry, instead of the host of `remote_addr`. */
  readonly hostname?: string | undefined;
  /** Client: path of a PEM file with certificates to trust besides the runtime's. */
  readonly trusted_root?: string | undefined;
  /** Server: path of the PKCS#12 file with certificate and key. */
  readonly pkcs12?: string | undefined;
  /** Server: what opens that file. */
  readonly pkcs12_password?: Secret | undefined;
  /** Path of a PEM file with this end's certificate, followed by those that lead to its root. */
  readonly certificate?: string | undefined;
  /** Path of the PEM file with the certificate's private key. */
  readonly private_key?: string | undefined;
  /** Server: path of a PEM file; clients must show a certificate that one of these has signed. */
  readonly client_ca?: string | undefined;
}

/** The Noise protocol between client and server. */
export interface NoiseConfig {
  /** The protocol's full name, such as `Noise_NK_25519_ChaChaPoly_BLAKE2s`. */
  readonly pattern: string;
  /** This end's private key, standard base64. Without one, where needed, each start makes a new one. */
  readonly local_private_key?: Secret | undefined;
  /** The other end's public key, standard base64. */
  readonly remote_public_key?: string | undefined;
}

/** WebSocket between client and server. */
export interface WebsocketConfig {
  /** Whether it goes over TLS (`wss`), with the settings of the `tls` block. */
  readonly tls: boolean;
  /** The path asked for. On a server without one, every path is the tunnel's. */
  readonly path?: string | undefined;
  /** Client: the Host header, instead of the host of `remote_addr`. */
  readonly host?: string | undefined;
  /** Client: more headers of the request. Secret, since they may hold credentials. */
  readonly headers?: ReadonlyMap<string, Secret> | undefined;
  /** Server: proxies whose `X-Forwarded-For` is believed: IP addresses and networks (CIDR). */
  readonly trusted_proxies?: readonly string[] | undefined;
}
