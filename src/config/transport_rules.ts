/**
 * Rules for a `transport` block: what the chosen transport needs, what nothing uses, and which
 * texts cannot work. Texts of a transport that is not chosen give a warning, as 0.5.0 never looks
 * at them.
 *
 * @module
 */

import { error, type Finding, type Judge, type Side, warning } from "./finding.ts";
import { noiseRules } from "./noise_rules.ts";
import { formatKey, type Path } from "./problem.ts";
import { parseProxy } from "./proxy.ts";
import { shapeAt } from "./shape.ts";
import { tlsRules } from "./tls_rules.ts";
import type { TransportType } from "./types.ts";
import { entriesOf, isTable, textOf, valueAt } from "./value.ts";

/**
 * Everything to say about one side's `transport`, whose value as written is `block`. `judge` is for
 * what leaves it open who the other end is.
 */
export function* transportRules(side: Side, block: unknown, judge: Judge): Generator<Finding> {
  if (!isTable(block)) return;
  const path = [side, "transport"];
  const type = valueAt(block, ["type"]) ?? "tcp";
  yield* otherSidesKeys(side, path, block);
  yield* tcpRules(side, [...path, "tcp"], valueAt(block, ["tcp"]));
  const noise = valueAt(block, ["noise"]);
  yield* noiseRules(side, [...path, "noise"], noise, type === "noise", judge);
  const chosen = ["tcp", "tls", "noise", "websocket"] satisfies TransportType[];
  // With a type that does not exist, nothing is known about what is needed.
  if (!chosen.some((known) => known === type)) return;
  if (type === "websocket" && valueAt(block, ["websocket"]) === undefined) {
    const header = formatKey([...path, "websocket"]);
    yield error([...path, "websocket"], `is missing; write [${header}] with tls = true or false`);
  }
  if (usesTls(type, block)) yield* tlsRules(side, [...path, "tls"], valueAt(block, ["tls"]));
  yield* unusedBlocks(path, block, type);
}

/**
 * What is said where a keepalive time is written: Deno can turn keepalive on and off, its times are
 * the operating system's. `key` is the last part of the key.
 */
export function keepaliveWarning(key: "keepalive_secs" | "keepalive_interval"): string {
  return key === "keepalive_secs"
    ? "turns keepalive on, but the time is the operating system's, which the Deno runtime cannot " +
      "change; heartbeats find dead connections"
    : "has no effect, since the Deno runtime cannot change the interval; heartbeats find dead " +
      "connections";
}

function* tcpRules(side: Side, path: Path, tcp: unknown): Generator<Finding> {
  for (const key of ["keepalive_secs", "keepalive_interval"] as const) {
    const value = valueAt(tcp, [key]);
    const off = key === "keepalive_secs" && value === 0;
    if (value !== undefined && !off) yield warning([...path, key], keepaliveWarning(key));
  }
  const proxy = textOf(valueAt(tcp, ["proxy"]));
  if (side === "server" || proxy === undefined) return;
  const parsed = parseProxy(proxy);
  if (typeof parsed === "string") yield error([...path, "proxy"], parsed);
}

function* otherSidesKeys(side: Side, path: Path, table: unknown): Generator<Finding> {
  for (const [name, value] of isTable(table) ? entriesOf(table) : []) {
    const shape = shapeAt([...path, name]);
    if (shape?.side !== undefined && shape.side !== side) {
      yield warning([...path, name], `has no effect; only a ${shape.side} uses it`);
    }
    if (shape?.keys !== undefined) yield* otherSidesKeys(side, [...path, name], value);
  }
}

function* unusedBlocks(path: Path, block: unknown, type: unknown): Generator<Finding> {
  for (const name of ["tls", "noise", "websocket"]) {
    const used = name === "tls" ? mayUseTls(type, block) : type === name;
    if (used || valueAt(block, [name]) === undefined) continue;
    const written = valueAt(block, ["type"]) === undefined ? "not written" : `"${type}"`;
    yield warning(
      [...path, name],
      name === "tls" && type === "websocket"
        ? "is not used, since websocket.tls is false; write tls = true there to use it"
        : `is not used, since ${formatKey([...path, "type"])} is ${written}; ` +
          `write type = "${name}" to use it`,
    );
  }
}

function usesTls(type: unknown, block: unknown): boolean {
  return type === "tls" || type === "websocket" && valueAt(block, ["websocket", "tls"]) === true;
}

/** Also where `websocket.tls` is missing, which is what there is to tell then. */
function mayUseTls(type: unknown, block: unknown): boolean {
  const unsaid = valueAt(block, ["websocket", "tls"]) === undefined;
  return usesTls(type, block) || type === "websocket" && unsaid;
}
