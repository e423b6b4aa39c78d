/**
 * The configuration file's schema: every key with its type, default, bounds and description. The
 * JSON schema for editors and the reference in the documentation are generated from it.
 *
 * @module
 */

import * as v from "valibot";
import { named } from "./collections.ts";
import { address, choice, count, duration, flag, secret } from "./fields.ts";
import { transportSchema } from "./transport_schema.ts";

const type = choice(["tcp", "udp"], "What the service carries.");
const drainTimeout = duration(
  "How long open streams may take to finish after SIGINT or SIGTERM; 0 cuts them at once. " +
    "A second signal does so too.",
  "zero allowed",
);

const strict = flag(
  "Refuse what is only warned of otherwise: a transport without encryption on an address that is " +
    "not this machine's own, tokens that are empty, known from examples or short enough to be " +
    "guessed, and Noise that does not check who the server is. A recorded handshake is all it " +
    "takes to try tokens without asking the server.",
);

const serverService = v.pipe(
  v.object({
    type: v.optional(type, "tcp"),
    bind_addr: address(
      "Where visitors connect; port 0 takes any free port.",
      "0.0.0.0:8080",
      "port 0 allowed",
    ),
    token: v.optional(
      secret("What a client must know to offer the service; else `default_token`."),
    ),
    nodelay: v.optional(
      flag("Overrides `transport.tcp.nodelay` for the service's data channels."),
    ),
    udp_data_channels: v.optional(
      count(
        1,
        "For UDP: over how many data channels visitors are spread, each visitor staying on one. " +
          "More than 1 keeps one visitor's bulk from delaying the others where they have data channels.",
        64,
      ),
      1,
    ),
  }),
  v.description("A service that clients may offer, under the name they know it by."),
);

/** `[server]`. */
export const serverSchema = v.pipe(
  v.object({
    bind_addr: address(
      "Where clients connect; port 0 takes any free port.",
      "0.0.0.0:2333",
      "port 0 allowed",
    ),
    strict: v.optional(strict, false),
    default_token: v.optional(secret("The token of services that have none of their own.")),
    heartbeat_interval: v.optional(
      duration(
        "How often the server sends a heartbeat on each control channel; 0 sends none. Keep it " +
          "below the clients' `heartbeat_timeout`.",
        "zero allowed",
      ),
      30,
    ),
    handshake_timeout: v.optional(
      duration(
        "How long a new connection may take to authenticate. Defends against connections that say " +
          "nothing, or only ever begin.",
        "above zero",
      ),
      5,
    ),
    max_pending_handshakes: v.optional(
      count(
        1,
        "How many connections may be authenticating at once, besides data channels that the server " +
          "asked for; for one more, the oldest is closed. Defends memory and processor against a " +
          "flood of connections from many addresses, which locks nobody out.",
      ),
      256,
    ),
    max_pending_handshakes_per_ip: v.optional(
      count(
        1,
        "How many of them may come from one IPv4 address or IPv6 /64 network; for one more, its " +
          "oldest is closed. Keeps a single host from taking all of `max_pending_handshakes`.",
      ),
      64,
    ),
    max_handshake_rate_per_ip: v.optional(
      count(
        1,
        "How many handshakes one IPv4 address or IPv6 /64 network may begin a second in the long " +
          "run, and ten times as many at once, besides data channels that the server asked for; " +
          "more are closed. Defends the processor: a TLS handshake costs it about a millisecond. " +
          "The default lets 1,000 services of one address come back in the same second.",
      ),
      100,
    ),
    max_auth_failures_per_ip: v.optional(
      count(
        1,
        "How many attempts in a row to open a control channel may fail for a wrong token or an " +
          "unknown service before their IPv4 address or IPv6 /64 network is refused for a while: a " +
          "second, and twice as long each time that it fails again. A success forgives all, and an " +
          "address with a client that is connected is never refused. Defends against guessing, and " +
          "the log.",
      ),
      10,
    ),
    max_auth_penalty: v.optional(
      duration(
        "The longest that an address is refused after failures to authenticate, and so the longest " +
          "that a client waits after its token was put right; 0 refuses nobody. A changed " +
          "configuration forgives all.",
        "zero allowed",
      ),
      60,
    ),
    max_connections: v.optional(
      count(
        1,
        "How many accepted connections may be open at once, of clients and of visitors together; " +
          "more are closed, and an eighth is kept for clients. A service with a client of this program " +
          "takes a control channel, its carriers and 2 data channels, and each visitor 1, or 2 where " +
          "it moves bulk; without carriers 8 to 64 data channels in reserve, and each visitor 2. " +
          "Defends memory and the process's file " +
          "descriptors, whose limit (`ulimit -n`) should be higher: where it is reached first, " +
          "visitors are held to three quarters of what was open then, for a minute, and the newest " +
          "beyond that are closed.",
      ),
      32_768,
    ),
    max_connections_per_ip: v.optional(
      count(
        1,
        "How many of them may come from one IPv4 address or IPv6 /64 network, visitors and clients " +
          "together, besides data channels that the server asked for; more are closed. Keeps one " +
          "host from taking all of `max_connections`. The default is what one service can serve " +
          "(`max_data_channels`), so that a proxy in front, or a provider's NAT, is not limited; " +
          "lower it where visitors come from addresses of their own.",
      ),
      8192,
    ),
    max_data_channels: v.optional(
      count(
        1,
        "How many visitors one control channel's session may have, on data channels and carriers " +
          "together; more are closed. Keeps one service, or one client that dials without end, from starving the rest.",
      ),
      8192,
    ),
    carriers: v.optional(
      count(
        0,
        "How many carriers a client may keep for each service, if it wants so many: connections that " +
          "many visitors share, where both ends are this program. 0 gives every visitor a data channel of its own, as " +
          "rathole 0.5.0 does.",
        64,
      ),
      8,
    ),
    visitor_timeout: v.optional(
      duration(
        "How long a visitor waits for the client to open a data channel before it is closed. " +
          "Defends against a client that is connected and never answers.",
        "above zero",
      ),
      10,
    ),
    drain_timeout: v.optional(drainTimeout, 10),
    services: named(v.string(), serverService, "The services that clients may offer, by name."),
    transport: v.optional(transportSchema, {}),
  }),
  v.description("The public end: accepts clients, and visitors on behalf of their services."),
);

const clientService = v.pipe(
  v.object({
    type: v.optional(type, "tcp"),
    local_addr: address("Where the service itself listens.", "127.0.0.1:80", "no port 0"),
    token: v.optional(secret("What proves that the client may offer it; else `default_token`.")),
    nodelay: v.optional(
      flag("Overrides `transport.tcp.nodelay` for the service's data channels."),
    ),
    retry_interval: v.optional(
      duration("Overrides the client's `retry_interval` for this service.", "zero allowed"),
    ),
    max_retries: v.optional(count(0, "Overrides the client's `max_retries` for this service.")),
  }),
  v.description("A local service to offer, under the name that the server knows it by."),
);

/** `[client]`. */
export const clientSchema = v.pipe(
  v.object({
    remote_addr: address("Where the server listens.", "example.com:2333", "no port 0"),
    strict: v.optional(strict, false),
    default_token: v.optional(secret("The token of services that have none of their own.")),
    heartbeat_timeout: v.optional(
      duration(
        "How long the server may be silent before the control channel counts as lost; 0 waits for " +
          "ever. Keep it above the server's `heartbeat_interval`.",
        "zero allowed",
      ),
      40,
    ),
    retry_interval: v.optional(
      duration("The longest pause between two attempts to reach the server.", "zero allowed"),
      1,
    ),
    max_retries: v.optional(
      count(
        0,
        "How often in a row a service tries again before it gives up; 0 never gives up. The " +
          "program ends when all services have.",
      ),
      0,
    ),
    carriers: v.optional(
      count(
        0,
        "How many carriers to keep for each service, if the server allows so many: connections that " +
          "many visitors share, where both ends are this program. More than 1 keeps a lost packet from delaying all of them at once; " +
          "0 gives every visitor a data channel of its own, as rathole 0.5.0 does.",
        64,
      ),
      1,
    ),
    prefer_ipv6: v.optional(
      flag("Try the IPv6 addresses of `remote_addr` before its IPv4 addresses."),
      false,
    ),
    drain_timeout: v.optional(drainTimeout, 10),
    services: named(
      v.string(),
      clientService,
      "The local services to offer, by name; there may be none.",
    ),
    transport: v.optional(transportSchema, {}),
  }),
  v.description("The hidden end: connects out to the server, and to the local services."),
);

/** The whole file. That at least one side is there is a rule, not part of the schema. */
export const configSchema = v.object({
  server: v.optional(serverSchema),
  client: v.optional(clientSchema),
});

/** What the schema makes of `[server]`, before services inherit from it. */
export type ServerOutput = v.InferOutput<typeof serverSchema>;
/** What the schema makes of `[client]`, before services inherit from it. */
export type ClientOutput = v.InferOutput<typeof clientSchema>;
