/**
 * What changed from one configuration to the next.
 *
 * @module
 */

import { Secret } from "../runtime/secret.ts";

/** A service that is there before and after, and not the same. */
export interface ServiceChange<S> {
  /** What it is from now on. */
  readonly after: S;
  /** The keys whose values changed; at least one. */
  readonly keys: ReadonlySet<keyof S & string>;
}

/** The difference of two sides of the same kind. */
export interface Difference<C, S> {
  /** The keys of the block itself whose values changed: not `services`, which come below. */
  readonly keys: ReadonlySet<keyof C & string>;
  /** Services that were not there. */
  readonly added: ReadonlyMap<string, S>;
  /** Names of services that are not there any more. */
  readonly removed: ReadonlySet<string>;
  /** Services that stay and change. */
  readonly changed: ReadonlyMap<string, ServiceChange<S>>;
}

/** A side of the configuration: a block with services. */
export interface Side<S> {
  /** Name to service. */
  readonly services: ReadonlyMap<string, S>;
}

/**
 * The difference between two configurations of a server, or of a client.
 *
 * `default_token` is not among the keys: it has been copied into the services that go by it, and a
 * change of it is a change of theirs.
 */
export function differenceOf<S extends object, C extends Side<S>>(
  before: C & Side<S>,
  after: C & Side<S>,
): Difference<C, S> {
  const keys = changedKeys(before, after);
  keys.delete("services");
  keys.delete("default_token" as keyof C & string);
  const added = new Map<string, S>();
  const changed = new Map<string, ServiceChange<S>>();
  for (const [name, service] of after.services) {
    const old = before.services.get(name);
    if (old === undefined) {
      added.set(name, service);
      continue;
    }
    const keys = changedKeys(old, service);
    if (keys.size > 0) changed.set(name, { after: service, keys });
  }
  const removed = [...before.services.keys()].filter((name) => !after.services.has(name));
  return { keys, added, removed: new Set(removed), changed };
}

/** Whether nothing changed. */
export function isSame<C, S>({ keys, added, removed, changed }: Difference<C, S>): boolean {
  return keys.size + added.size + removed.size + changed.size === 0;
}

function changedKeys<T extends object>(before: T, after: T): Set<keyof T & string> {
  const changed = new Set<keyof T & string>();
  for (const key in { ...before, ...after }) {
    if (!sameValue(before[key], after[key])) changed.add(key);
  }
  return changed;
}

/** Equality of configuration values, secrets by what they hold. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && a.equals(b);
  }
  if (a instanceof Map || b instanceof Map) {
    return a instanceof Map && b instanceof Map && a.size === b.size &&
      [...a].every(([key, value]) => b.has(key) && sameValue(value, b.get(key)));
  }
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
    sameValue(a[key], b[key])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
