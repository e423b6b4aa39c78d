import { equal, match, throws } from "node:assert/strict";
import { parseConfig } from "../config/parse.ts";
import { chooseSide } from "./mode.ts";

const { server, client } = parseConfig(`
  [server]
  bind_addr = "127.0.0.1:0"
  [server.services]
  [client]
  remote_addr = "127.0.0.1:2333"
  [client.services]
`).config;

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
