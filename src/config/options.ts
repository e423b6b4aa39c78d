/**
 * The configuration as a program that embeds rathole may write it: keys with a default may be left
 * out, secrets may be plain text, services may be an object or a Map, times may be seconds or text.
 * A complete configuration is a valid set of options too.
 *
 * @module
 */

import type { Secret } from "../runtime/secret.ts";
import type { ServiceType, TransportType } from "./types.ts";

/** A time: a number of seconds, or text such as `"500ms"`, `"30s"`, `"1m30s"`, `"2h"`. */
export type DurationOption = number | string;

/** A token, password or key: plain text, or text already wrapped. */
export type SecretOption = string | Secret;

/** Name to service. A Map takes every name; an object takes every name but a literal `__proto__`. */
export type ServicesOption<Service> =
  | Readonly<Record<string, Service>>
  | ReadonlyMap<string, Service>;

/** What a server is started with; see `ServerConfig` for the meaning of each key. */
export interface ServerOptions {
  /** Where clients connect, `host:port`; port 0 takes any free one. */
  readonly bind_addr: string;
  /** Whether an unencrypted transport and weak tokens are refused. Default false. */
  readonly strict?: boolean | undefined;
  /** The token of services that set none. */
  readonly default_token?: SecretOption | undefined;
  /** Time between heartbeats; 0 sends none. Default 30 s. */
  readonly heartbeat_interval?: DurationOption | undefined;
  /** Time a new connection has to authenticate. Default 5 s. */
  readonly handshake_timeout?: DurationOption | undefined;
  /** Connections in that phase at once. Default 256. */
  readonly max_pending_handshakes?: number | undefined;
  /** Connections in that phase from one IP address. Default 64. */
  readonly max_pending_handshakes_per_ip?: number | undefined;
  /** Handshakes that one IP address may begin a second. Default 100. */
  readonly max_handshake_rate_per_ip?: number | undefined;
  /** Failures to authenticate in a row before their IP address is refused a while. Default 10. */
  readonly max_auth_failures_per_ip?: number | undefined;
  /** The longest that it is refused; 0 never refuses. Default 60 s. */
  readonly max_auth_penalty?: DurationOption | undefined;
  /** Accepted connections open at once, of clients and visitors. Default 32768. */
  readonly max_connections?: number | undefined;
  /** Those among them from one IP address. Default 8192. */
  readonly max_connections_per_ip?: number | undefined;
  /** Data channels of one session. Default 8192. */
  readonly max_data_channels?: number | undefined;
  /** Carriers that a client may keep for each service; 0 none. Default 8. */
  readonly carriers?: number | undefined;
  /** Time a visitor waits for a data channel. Default 10 s. */
  readonly visitor_timeout?: DurationOption | undefined;
  /** Time open streams may take to finish on stop. Default 10 s. */
  readonly drain_timeout?: DurationOption | undefined;
  /** The services, by name. May be empty. */
  readonly services: ServicesOption<ServerServiceOptions>;
  /** How clients are spoken to. Default plain TCP. */
  readonly transport?: TransportOptions | undefined;
}

/** A service on the server's side. */
export interface ServerServiceOptions {
  /** What it carries. Default `tcp`. */
  readonly type?: ServiceType | undefined;
  /** Where visitors connect, `host:port`; port 0 takes any free one. */
  readonly bind_addr: string;
  /** What a client must know to offer it. Default `default_token`; one of the two must be there. */
  readonly token?: SecretOption | undefined;
  /** TCP_NODELAY on its data channels. Default `transport.tcp.nodelay`. */
  readonly nodelay?: boolean | undefined;
  /** For UDP: over how many data channels visitors are spread. Default 1. */
  readonly udp_data_channels?: number | undefined;
}

/** What a client is started with; see `ClientConfig` for the meaning of each key. */
export interface ClientOptions {
  /** Where the server listens, `host:port`. */
  readonly remote_addr: string;
  /** Whether an unencrypted transport and weak tokens are refused. Default false. */
  readonly strict?: boolean | undefined;
  /** The token of services that set none. */
  readonly default_token?: SecretOption | undefined;
  /** Time without a heartbeat until the control channel counts as lost; 0 never. Default 40 s. */
  readonly heartbeat_timeout?: DurationOption | undefined;
  /** The longest pause between two attempts. Default 1 s. */
  readonly retry_interval?: DurationOption | undefined;
  /** Retries in a row before a service gives up; 0 never does. Default 0. */
  readonly max_retries?: number | undefined;
  /** Carriers to keep for each service; 0 none. Default 1. */
  readonly carriers?: number | undefined;
  /** Whether IPv6 addresses of `remote_addr` are tried first. Default false. */
  readonly prefer_ipv6?: boolean | undefined;
  /** Time open streams may take to finish on stop. Default 10 s. */
  readonly drain_timeout?: DurationOption | undefined;
  /** The services, by name. May be empty. */
  readonly services: ServicesOption<ClientServiceOptions>;
  /** How the server is spoken to. Default plain TCP. */
  readonly transport?: TransportOptions | undefined;
}

/** A service on the client's side. */
export interface ClientServiceOptions {
  /** What it carries. Default `tcp`. */
  readonly type?: ServiceType | undefined;
  /** Where the service itself listens, `host:port`. */
  readonly local_addr: string;
  /** What proves that this client may offer it. Default `default_token`. */
  readonly token?: SecretOption | undefined;
  /** TCP_NODELAY on its data channels. Default `transport.tcp.nodelay`. */
  readonly nodelay?: boolean | undefined;
  /** The longest pause between two attempts. Default the client's. */
  readonly retry_interval?: DurationOption | undefined;
  /** Retries in a row before it gives up; 0 never does. Default the client's. */
  readonly max_retries?: number | undefined;
}

/** The `transport` block. */
export interface TransportOptions {
  /** The transport to use. Default `tcp`. */
  readonly type?: TransportType | undefined;
  /** Settings of the TCP connection below every transport. */
  readonly tcp?: TcpOptions | undefined;
  /** Settings of TLS. */
  readonly tls?: TlsOptions | undefined;
  /** Settings of Noise. */
  readonly noise?: NoiseOptions | undefined;
  /** Settings of WebSocket. */
  readonly websocket?: WebsocketOptions | undefined;
}

/** The TCP connections between client and server. */
export interface TcpOptions {
  /** TCP_NODELAY. Default true. */
  readonly nodelay?: boolean | undefined;
  /** Silence before the first keepalive probe; 0 turns keepalive off. Default 20 s. */
  readonly keepalive_secs?: DurationOption | undefined;
  /** Time between keepalive probes. Default 8 s. */
  readonly keepalive_interval?: DurationOption | undefined;
  /** Client: `socks5://` or `http://` URL of the proxy to go through. */
  readonly proxy?: SecretOption | undefined;
}

/** TLS between client and server. */
export interface TlsOptions {
  /** Client: the name the server's certificate must carry. Default the host of `remote_addr`. */
  readonly hostname?: string | undefined;
  /** Client: path of a PEM file with certificates to trust besides the runtime's. */
  readonly trusted_root?: string | undefined;
  /** Server: path of the PKCS#12 file with certificate and key. */
  readonly pkcs12?: string | undefined;
  /** Server: what opens that file. */
  readonly pkcs12_password?: SecretOption | undefined;
  /** Path of a PEM file with this end's certificate, followed by those that lead to its root. */
  readonly certificate?: string | undefined;
  /** Path of the PEM file with the certificate's private key. */
  readonly private_key?: string | undefined;
  /** Server: path of a PEM file; clients must show a certificate that one of these has signed. */
  readonly client_ca?: string | undefined;
}

/** The Noise protocol between client and server. */
export interface NoiseOptions {
  /** The protocol's full name. Default `Noise_NK_25519_ChaChaPoly_BLAKE2s`. */
  readonly pattern?: string | undefined;
  /** This end's private key, standard base64. */
  readonly local_private_key?: SecretOption | undefined;
  /** The other end's public key, standard base64. */
  readonly remote_public_key?: string | undefined;
}

/** WebSocket between client and server. */
export interface WebsocketOptions {
  /** Whether it goes over TLS, with the settings of the `tls` block. */
  readonly tls: boolean;
  /** The path asked for. Default `/`; on a server without one, every path is the tunnel's. */
  readonly path?: string | undefined;
  /** Client: the Host header. Default the host of `remote_addr`. */
  readonly host?: string | undefined;
  /** Client: more headers of the request. */
  readonly headers?:
    | Readonly<Record<string, SecretOption>>
    | ReadonlyMap<string, SecretOption>
    | undefined;
  /** Server: proxies whose `X-Forwarded-For` is believed: IP addresses and networks (CIDR). */
  readonly trusted_proxies?: readonly string[] | undefined;
}
