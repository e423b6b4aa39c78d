/**
 * What may be said in the request that opens a WebSocket: its path, Host and other headers.
 *
 * @module
 */

import * as v from "valibot";
import { parseIp } from "../runtime/address.ts";
import { parseNetwork } from "../runtime/network.ts";
import { list, named } from "./collections.ts";
import { secret, text } from "./fields.ts";

/** Headers that the handshake writes itself (RFC 6455, 4.1), or that would announce a body. */
const TAKEN = /^(?:host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i;

/** The path of the request, in the form it is sent. */
export function requestPath(description: string) {
  return v.pipe(text(description, { example: '"/tunnel"' }), judge(pathProblem));
}

/** A Host header: `host` or `host:port`. */
export function hostHeader(description: string) {
  return v.pipe(
    text(description, { side: "client", example: '"tunnel.example.com"' }),
    judge(hostProblem),
  );
}

/** Headers by name, each value a secret. */
export function headers(description: string) {
  const value = v.pipe(
    secret("The header's value."),
    judge((header) =>
      // deno-lint-ignore no-control-regex -- these are what a header must not have
      /[\0-\x08\x0a-\x1f\x7f]/.test(header.reveal())
        ? "has a control character in it, which no header may have; leave it out"
        : undefined
    ),
  );
  return named(v.pipe(v.string(), judge(nameProblem)), value, description, {
    side: "client",
    example: '{ Authorization = "…" }',
  });
}

/** IP addresses and networks. */
export function networks(description: string) {
  const network = v.pipe(
    text("An IP address or network."),
    judge((entry) =>
      parseNetwork(entry) === null
        ? 'is neither an IP address nor a network; write one such as "127.0.0.1" or "10.0.0.0/8"'
        : undefined
    ),
  );
  return list(network, description, { side: "server", example: '["127.0.0.1", "10.0.0.0/8"]' });
}

/** An action that refuses what `problemOf` has a sentence for, `what is wrong; what to write`. */
function judge<Value>(problemOf: (value: Value) => string | undefined) {
  return v.rawCheck<Value>(({ dataset, addIssue }) => {
    const message = dataset.typed ? problemOf(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  });
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return 'does not begin with /; write a path such as "/tunnel"';
  if (path.includes("#")) return "has a # in it, which is never sent; leave it out, or write %23";
  if (/[^\x21-\x7e]/.test(path)) {
    return "has a space, a control character or a letter beyond ASCII in it; percent-encode it";
  }
  return undefined;
}

function hostProblem(host: string): string | undefined {
  const [, ipv6, name, port] = /^(?:\[([^\]]*)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(host) ?? [];
  const known = ipv6 === undefined ? name !== undefined : parseIp(ipv6)?.length === 16;
  return known && Number(port ?? 0) <= 65535
    ? undefined
    : 'is no host; write host or host:port such as "tunnel.example.com", without scheme and path';
}

function nameProblem(name: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    return "is not a header's name; write letters, digits and - only, as in X-Tunnel-Key";
  }
  if (!TAKEN.test(name)) return undefined;
  return name.toLowerCase() === "host"
    ? 'is a header of the handshake\'s own; write host = "…" above the headers instead'
    : "is a header of the handshake's own; leave it out";
}
