/**
 * The schema of a `transport` block, the same on both sides.
 *
 * @module
 */

import * as v from "valibot";
import { choice, duration, type FieldInfo, flag, secret, text } from "./fields.ts";

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
      "Path of a PEM certificate to trust besides the system's, for a server with a certificate " +
        "of your own authority.",
      { side: "client", example: '"ca.pem"' },
    )),
    pkcs12: v.optional(text(
      "Path of the PKCS#12 file with the server's certificate, chain and private key.",
      { side: "server", example: '"identity.pfx"' },
    )),
    pkcs12_password: v.optional(secret("Password of the PKCS#12 file; may be empty.", {
      side: "server",
      example: '"password of the file"',
    })),
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
      v.metadata({ example: "false" } satisfies FieldInfo),
    ),
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
