import { equal, match, throws } from "node:assert/strict";
import type { ClientConfig, ServerConfig } from "../config/types.ts";
import { chooseSide } from "./mode.ts";

const transport = {
  type: "tcp",
  tcp: { nodelay: true, keepalive_secs: 20, keepalive_interval: 8 },
} as const;

const server: ServerConfig = {
  bind_addr: "127.0.0.1:0",
  heartbeat_interval: 30,
  handshake_timeout: 5,
  max_pending_handshakes: 1,
  max_pending_handshakes_per_ip: 1,
  max_connections: 1,
  max_data_channels: 1,
  visitor_timeout: 10,
  drain_timeout: 10,
  services: new Map(),
  transport,
};

const client: ClientConfig = {
  remote_addr: "127.0.0.1:2333",
  heartbeat_timeout: 40,
  retry_interval: 1,
  max_retries: 0,
  prefer_ipv6: false,
  drain_timeout: 10,
  services: new Map(),
  transport,
};

Deno.test("chooseSide - the only block, or the one asked for", () => {
  equal(chooseSide({ server }, undefined).config, server);
  equal(chooseSide({ client }, undefined).config, client);
  equal(chooseSide({ server }, "server").mode, "server");
  equal(chooseSide({ server, client }, "server").config, server);
  equal(chooseSide({ server, client }, "client").config, client);
});

Deno.test("chooseSide - says what to do where there is nothing to choose", () => {
  const message = (run: () => unknown): string => {
    let text = "";
    throws(run, (error: Error) => (text = error.message) !== "");
    return text;
  };
  match(message(() => chooseSide({ server, client }, undefined)), /--server or --client/);
  match(message(() => chooseSide({ server }, "client")), /no \[client\] block.*run its \[server\]/);
  match(message(() => chooseSide({ client }, "server")), /no \[server\] block.*run its \[client\]/);
  match(message(() => chooseSide({}, undefined)), /neither/);
  match(message(() => chooseSide({}, "server")), /no \[server\] block/);
});
