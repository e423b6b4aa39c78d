/**
 * What to say about a key that is not known where it stands.
 *
 * @module
 */

import { formatKey, type Path } from "./problem.ts";
import { ANY_NAME, everyKey, pattern, type Shape, shapeAt } from "./shape.ts";
import { nearest } from "./suggest.ts";
import { entriesOf, isTable } from "./value.ts";

/** What a key of one place is called in another; the places are paths in pattern form. */
const COUNTERPARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "server": {
    remote_addr: "bind_addr",
    heartbeat_timeout: "heartbeat_interval",
    token: "default_token",
  },
  "client": {
    bind_addr: "remote_addr",
    heartbeat_interval: "heartbeat_timeout",
    token: "default_token",
  },
  "server.services.*": { local_addr: "bind_addr", default_token: "token" },
  "client.services.*": { bind_addr: "local_addr", default_token: "token" },
  "server.transport.noise": { private_key: "local_private_key", public_key: "remote_public_key" },
  "client.transport.noise": { private_key: "local_private_key", public_key: "remote_public_key" },
  "client.transport.tls": { host: "hostname" },
};

/** What there is to say about an unknown key. */
export interface UnknownKey {
  /** Where it belongs, what it may be meant to be, what there is: `what; help`. */
  readonly sentence: string;
  /** The key of the same table that was probably meant, which then need not be missed as well. */
  readonly meant?: string | undefined;
}

/** Explains an unknown key and its value in a table. */
export function unknownKey(table: Path, name: string, value: unknown): UnknownKey {
  const shape = shapeAt(table);
  const { help, meant } = counterpart(table, name) ?? misplacedService(table, name, value) ??
    elsewhere(table, name) ?? misspelt(name, shape) ?? known(shape);
  const what = table.length === 0 ? "is not known" : `is not a key of [${formatKey(table)}]`;
  return { sentence: `${what}; ${help}`, meant };
}

interface Guess {
  readonly help: string;
  readonly meant?: string | undefined;
}

function counterpart(table: Path, name: string): Guess | undefined {
  const own = COUNTERPARTS[pattern(table).join(".")];
  if (own === undefined || !Object.hasOwn(own, name)) return undefined;
  const meant = own[name];
  const [first = "", ...rest] = table;
  const mirror = [first === "server" ? "client" : "server", ...rest];
  const help = shapeAt([...mirror, name]) === undefined
    ? `the key here is ${meant}`
    : `it belongs in [${formatKey(mirror)}], the ${first}'s is ${meant}`;
  return { help, meant };
}

/** `[client.ssh]` for `[client.services.ssh]`, and names with a dot that nobody quoted. */
function misplacedService(table: Path, name: string, value: unknown): Guess | undefined {
  const [side = "", services] = table;
  if (!isTable(value) || !looksLikeService(side, value)) return undefined;
  if (table.length === 1) {
    const path = [side, "services", name];
    return { help: `a service is written [${formatKey(path)}]`, meant: "services" };
  }
  if (table.length !== 3 || services !== "services") return undefined;
  const whole = [side, services, `${table[2]}.${name}`];
  return { help: `a service name with a dot needs quotes, as in [${formatKey(whole)}]` };
}

function looksLikeService(side: string, value: Parameters<typeof entriesOf>[0]): boolean {
  const service = shapeAt([side, "services", ANY_NAME]);
  return entriesOf(value).some(([key]) => service?.keys?.has(key));
}

/** The tables that have a key of exactly this name, those of the same side first. */
function elsewhere(table: Path, name: string): Guess | undefined {
  const side = table[0];
  const places = [...everyKey()].filter(([place, key]) => key === name && place.length > 0);
  const near = places.filter(([place]) => place[0] === side);
  const chosen = near.length > 0 ? near : places;
  if (chosen.length === 0 || chosen.length > 4) return undefined;
  const names = chosen.map(([place]) => `[${formatKey(fillName(place, table))}]`);
  return { help: `it belongs in ${names.join(" or ")}` };
}

/** A place with the name of the service at hand, or `NAME`, for the stand-in. */
function fillName(place: Path, table: Path): Path {
  const named = table[1] === "services" && table[2] !== undefined ? table[2] : "NAME";
  return place.map((part) => part === ANY_NAME ? named : part);
}

function misspelt(name: string, shape: Shape | undefined): Guess | undefined {
  const meant = nearest(name, shape?.keys?.keys() ?? []);
  return meant === undefined ? undefined : { help: `did you mean ${meant}?`, meant };
}

function known(shape: Shape | undefined): Guess {
  return { help: `known are ${[...shape?.keys?.keys() ?? []].join(", ")}` };
}
