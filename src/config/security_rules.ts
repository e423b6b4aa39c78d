/**
 * Rules about what strangers could read or guess: warnings, and errors where `strict` is written.
 *
 * @module
 */

import { isAddress, isLoopback, parseAddress } from "../runtime/address.ts";
import { bareIpv6 } from "./fields.ts";
import type { Finding, Judge, Side } from "./finding.ts";
import type { Path } from "./problem.ts";
import { textOf, valueAt } from "./value.ts";

/** Below so many bits, a recorded handshake is enough for a machine to try all tokens there are. */
const ENOUGH_BITS = 64;
/** Fewer different characters than this are a pattern, however long it goes on. */
const ENOUGH_VARIETY = 6;
/** Tokens that stand in documentation and examples, ours and others'. */
const PUBLISHED: ReadonlySet<string> = new Set([
  "use_a_secret_that_only_you_know",
  "one_secret_for_all_services",
  "default_token_if_not_specify",
]);
const TOKEN_HELP = "write a long random text, such as openssl rand -hex 24 prints";

/** Whether one side talks over the network; of an address that cannot be read, that is all to say. */
export function isExposed(side: Side, block: unknown): boolean {
  const text = valueAt(block, [side === "server" ? "bind_addr" : "remote_addr"]);
  if (typeof text !== "string") return false;
  const address = bareIpv6(text) ?? parseAddress(text);
  return isAddress(address) && !isLoopback(address.hostname);
}

/** A tunnel that anybody on its way can read. */
export function* plaintext(side: Side, block: unknown, judge: Judge): Generator<Finding> {
  const transport = [side, "transport"];
  const type = valueAt(block, ["transport", "type"]) ?? "tcp";
  const harm = "anybody on the way can read and change what it carries";
  if (type === "tcp") {
    yield judge(
      [...transport, "type"],
      `${byDefault(block)}leaves the tunnel unencrypted, so that ${harm}; write type = "tls" or ` +
        '"noise"',
    );
  }
  if (type === "websocket" && valueAt(block, ["transport", "websocket", "tls"]) === false) {
    const proxied = side === "server"
      ? ", or have bind_addr on 127.0.0.1 behind a proxy that speaks TLS"
      : "";
    yield judge(
      [...transport, "websocket", "tls"],
      `leaves the tunnel unencrypted, so that ${harm}; write true${proxied}`,
    );
  }
}

/** A token that can be guessed, or need not be. `exposed` tells whether it meets strangers. */
export function* weakToken(
  path: Path,
  value: unknown,
  exposed: boolean,
  judge: Judge,
): Generator<Finding> {
  const token = textOf(value);
  if (token === undefined) return;
  if (token === "") {
    yield judge(path, "is empty, so that anybody may offer the service; write a long random text");
  } else if (!exposed) {
    return;
  } else if (PUBLISHED.has(token)) {
    yield judge(path, `is an example that everybody knows; ${TOKEN_HELP}`);
  } else if (isGuessable(token)) {
    yield judge(path, `is so short or so uniform that it can be guessed; ${TOKEN_HELP}`);
  }
}

/** Taken as random characters of the kinds that are in it, which flatters words. */
function isGuessable(token: string): boolean {
  const characters = [...token];
  if (new Set(characters).size < ENOUGH_VARIETY) return true;
  let alphabet = 0;
  for (const [kind, size] of KINDS) if (kind.test(token)) alphabet += size;
  return characters.length * Math.log2(alphabet) < ENOUGH_BITS;
}

const KINDS: readonly (readonly [RegExp, number])[] = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/\d/, 10],
  [/[^a-zA-Z\d]/, 33],
];

/** Where nobody wrote the type, the message cannot show it. */
function byDefault(block: unknown): string {
  return valueAt(block, ["transport", "type"]) === undefined ? 'is "tcp" by default, which ' : "";
}
