/**
 * Rules that concern more than one key. They look at the values as they were written, so that they
 * apply however many other keys are wrong.
 *
 * @module
 */

import { formatAddress } from "../runtime/address.ts";
import { bareIpv6 } from "./fields.ts";
import { error, type Finding, type Side, warning } from "./finding.ts";
import { formatKey, type Path } from "./problem.ts";
import { isExposed, plaintext, weakToken } from "./security_rules.ts";
import { transportRules } from "./transport_rules.ts";
import { entriesOf, isTable, valueAt } from "./value.ts";

/**
 * Everything the rules have to say about one side. `block` is its value as written; a misspelt
 * `default_token` counts as one, lest every service be blamed for it.
 */
export function* sideRules(
  side: Side,
  block: unknown,
  misspeltDefaultToken: boolean,
): Generator<Finding> {
  if (!isTable(block)) return;
  yield* addressStyle([side, side === "server" ? "bind_addr" : "remote_addr"], block);
  const judge = valueAt(block, ["strict"]) === true ? error : warning;
  const exposed = isExposed(side, block);
  const token = (path: Path, value: unknown) => weakToken(path, value, exposed, judge);
  const defaultToken = valueAt(block, ["default_token"]);
  yield* token([side, "default_token"], defaultToken);
  const services = valueAt(block, ["services"]);
  if (side === "server") yield* sharedDoors(block, services);
  const hasDefaultToken = defaultToken !== undefined || misspeltDefaultToken;
  for (const [name, service] of isTable(services) ? entriesOf(services) : []) {
    const path = [side, "services", name];
    yield* serviceRules(side, path, service, hasDefaultToken);
    yield* token([...path, "token"], valueAt(service, ["token"]));
  }
  if (exposed) yield* plaintext(side, block, judge);
  yield* transportRules(side, valueAt(block, ["transport"]), judge);
}

/** Two that listen at one address: the second would wait for the first to end. */
function* sharedDoors(block: unknown, services: unknown): Generator<Finding> {
  const taken = new Map([[`tcp ${valueAt(block, ["bind_addr"])}`, "server.bind_addr"]]);
  for (const [name, service] of isTable(services) ? entriesOf(services) : []) {
    const address = valueAt(service, ["bind_addr"]);
    if (typeof address !== "string" || address.endsWith(":0")) continue;
    const path = ["server", "services", name, "bind_addr"];
    const key = `${valueAt(service, ["type"]) ?? "tcp"} ${address}`;
    const other = taken.get(key);
    if (other !== undefined) {
      yield warning(path, `is ${other} as well; only one of them can listen there`);
    }
    taken.set(key, formatKey(path));
  }
}

function* serviceRules(
  side: Side,
  path: Path,
  service: unknown,
  hasDefaultToken: boolean,
): Generator<Finding> {
  if (!isTable(service)) return;
  yield* addressStyle([...path, side === "server" ? "bind_addr" : "local_addr"], service);
  const token = valueAt(service, ["token"]);
  if (token === undefined && !hasDefaultToken) {
    yield error(
      [...path, "token"],
      `is missing; write token = "…" here, or default_token = "…" in [${formatKey([side])}]`,
    );
  }
  const udpOnly = "udp_data_channels";
  if (valueAt(service, ["type"]) !== "udp" && valueAt(service, [udpOnly]) !== undefined) {
    yield warning([...path, udpOnly], 'has no effect; only services of type = "udp" use it');
  }
}

/** Takes the path of an address in the block that holds it. */
function* addressStyle(path: Path, block: unknown): Generator<Finding> {
  const value = valueAt(block, path.slice(-1));
  const address = typeof value === "string" ? bareIpv6(value) : undefined;
  if (address !== undefined) {
    yield warning(path, `is IPv6 without brackets; better write "${formatAddress(address)}"`);
  }
}
