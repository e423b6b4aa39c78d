/**
 * The schema of a `transport` block, the same on both sides.
 *
 * @module
 */

import * as v from "valibot";
import { choice, duration, type FieldInfo, flag, secret, text } from "./fields.ts";
import { headers, hostHeader, networks, requestPath } from "./websocket_fields.ts";

/** The pattern of 0.5.0 for a `noise` block that names none: the client knows the server's key. */
export const DEFAULT_NOISE_PATTERN = "Noise_NK_25519_ChaChaPoly_BLAKE2s";

const tcp = v.pipe(
  v.object({
    nodelay: v.optional(
      flag(
        "Set TCP_NODELAY on the connections between client and server: small messages leave at " +
          "once, at the price of more packets.",
      ),
      true,
    ),
    keepalive_secs: v.optional(
      duration(
        "How long a connection is silent before TCP keepalive probes it; 0 turns keepalive off.",
        "zero allowed",
      ),
      20,
    ),
    keepalive_interval: v.optional(
      duration("How long TCP keepalive waits between two probes.", "zero allowed"),
      8,
    ),
    proxy: v.optional(secret(
      "Proxy through which the client reaches the server: `socks5://` or `http://`, then " +
        "`[user[:password]@]host[:port]`. Special characters in user and password are " +
        "percent-encoded. UDP services work through it as well.",
      { side: "client", example: '"socks5://127.0.0.1:1080"' },
    )),
  }),
  v.description("TCP connections between client and server, below every transport."),
);

const tls = v.pipe(
  v.object({
    hostname: v.optional(text(
      "Name that the server's certificate must carry, where it is not the host of `remote_addr`.",
      { side: "client", example: '"tunnel.example.com"' },
    )),
    trusted_root: v.optional(text(
      "Path of a PEM file with certificates to trust besides those that Deno comes with (in their " +
        "place where the client shows a certificate itself), for a server with a certificate of " +
        "your own authority; `rathole gen-cert` makes one.",
      { side: "client", example: '"ca.pem"' },
    )),
    pkcs12: v.optional(text(
      "Path of the PKCS#12 file with the server's certificate, chain and private key. A server has " +
        "either this, or `certificate` and `private_key`.",
      { side: "server", example: '"identity.pfx"' },
    )),
    pkcs12_password: v.optional(secret("Password of the PKCS#12 file; may be empty.", {
      side: "server",
      example: '"password of the file"',
    })),
    certificate: v.optional(text(
      "Path of a PEM file with this end's certificate, followed by those that lead to its root. " +
        "On a server the alternative to `pkcs12`; on a client for a server with `client_ca`. " +
        "A file that changes is read again for the next connections.",
      { example: '"server.pem"' },
    )),
    private_key: v.optional(text(
      "Path of the PEM file with the certificate's private key, not encrypted.",
      { example: '"server.key"' },
    )),
    client_ca: v.optional(text(
      "Path of a PEM file with certificates of authorities: clients must show a certificate that " +
        "one of them has signed.",
      { side: "server", example: '"ca.pem"' },
    )),
  }),
  v.description("TLS, for `type` tls, and for websocket with `tls = true`."),
);

const noise = v.pipe(
  v.object({
    pattern: v.optional(
      text(
        "Noise protocol name: handshake pattern, Diffie-Hellman function, cipher and hash. With " +
          "NK the client knows the server's public key; with KK each knows the other's.",
        { example: `"${DEFAULT_NOISE_PATTERN}"` },
      ),
      DEFAULT_NOISE_PATTERN,
    ),
    local_private_key: v.optional(secret(
      "This end's private key in base64; `rathole --genkey` makes one. Where the pattern needs a " +
        "key and none is given, each start makes a new one.",
      { example: '"private key of this end, in base64"' },
    )),
    remote_public_key: v.optional(text(
      "The other end's public key in base64. Patterns ending in K need it on the client, patterns " +
        "starting with K on the server; in others it pins the key that the other end sends.",
      // Masked, since the two keys look the same and are easily swapped.
      { example: '"public key of the other end, in base64"', masked: true },
    )),
  }),
  v.description("The Noise protocol, for `type` noise: encryption without certificates."),
);

const websocket = v.pipe(
  v.object({
    tls: v.pipe(
      flag("Whether WebSocket runs over TLS (wss), with the settings of the `tls` block."),
      v.metadata({ example: "true" } satisfies FieldInfo),
    ),
    path: v.optional(requestPath(
      "Path of the request that opens a WebSocket. A client without one asks for `/`; a server " +
        "without one answers on every path, one with it on this path only.",
    )),
    host: v.optional(hostHeader(
      "Host header of that request, where a proxy in front of the server needs another than the " +
        "host of `remote_addr`.",
    )),
    headers: v.optional(headers(
      "More headers of that request, such as a proxy's `Authorization`. Values are treated as " +
        "secrets.",
    )),
    trusted_proxies: v.optional(networks(
      "IP addresses and networks (CIDR) of proxies in front of the server whose `X-Forwarded-For` " +
        "tells the client's address, for the log and the status; limits per address go by the " +
        "proxy's own. From anybody else the header is ignored.",
    )),
  }),
  v.description("WebSocket, for `type` websocket."),
);

/** `transport`: each block may be there, only those that `type` names are used. */
export const transportSchema = v.pipe(
  v.object({
    type: v.optional(
      choice(
        ["tcp", "tls", "noise", "websocket"],
        "How client and server talk; both must say the same. Plain tcp is neither encrypted nor " +
          "protected against changes.",
      ),
      "tcp",
    ),
    tcp: v.optional(tcp, {}),
    tls: v.optional(tls),
    noise: v.optional(noise),
    websocket: v.optional(websocket),
  }),
  v.description("How client and server talk to each other."),
);
