/**
 * From one configuration of a running server to the next.
 *
 * @module
 */

import { differenceOf, isSame } from "../config/difference.ts";
import { describeDifference } from "../config/describe_difference.ts";
import { transportChange } from "../config/transport_change.ts";
import type { ServerConfig, TransportConfig } from "../config/types.ts";
import { configuredAddress } from "../runtime/address.ts";
import type { Transport } from "../transport/transport.ts";
import { type Change, type MakeWay, simply } from "./change.ts";
import type { ServerContext } from "./context.ts";
import type { Entrance } from "./entrance.ts";
import type { Registry } from "./registry.ts";
import { movesDoor, Service } from "./service.ts";

/** What an update works on. */
export interface UpdateParts {
  /** Where clients connect. */
  readonly entrance: Entrance;
  /** The services that there are. */
  readonly registry: Registry;
  /** What all parts share; its configuration is the one from before. */
  readonly context: ServerContext;
  /** Opens a transport. @throws {RatholeError} */
  openTransport(config: TransportConfig): Promise<Transport>;
}

/** An update that is ready to take effect. */
export interface PreparedUpdate extends Change {
  /** What it changes, a sentence each; empty when nothing. */
  readonly changes: readonly string[];
}

/**
 * Prepares all that may fail, and nothing that anybody notices: what is new listens already, what
 * is old still does. Only where something new takes the port of something that goes, that closes
 * first.
 *
 * @throws {RatholeError} `bind`, `resolve`, `permission`, `config`; everything is as before then.
 */
export async function prepareUpdate(
  after: ServerConfig,
  parts: UpdateParts,
): Promise<PreparedUpdate> {
  const { context, entrance, registry } = parts;
  const before = context.config;
  const difference = differenceOf(before, after);
  if (isSame(difference)) return { changes: [], ...simply(() => {}) };

  const { changed } = difference;
  const present = new Map(registry.services.map((service) => [service.name, service]));
  const stays = (name: string) => after.services.has(name) && !changed.get(name)?.keys.has("type");
  const gone = [...present.values()].filter(({ name }) => !stays(name));
  const moving = [...present.values()].filter(({ name }) => {
    return stays(name) && movesDoor(changed.get(name)?.keys);
  });
  const transport = transportChange(before.transport, after.transport);
  const moves = difference.keys.has("bind_addr");
  const leaving = [...gone, ...moving, ...(moves || transport !== "none" ? [entrance] : [])];
  const makeWay: MakeWay = (port) => {
    const inTheWay = leaving.filter(({ address }) => address?.port === port);
    for (const one of inTheWay) one.vacate();
    return inTheWay.length > 0;
  };

  const prepared: Change[] = [];
  try {
    if (moves || transport !== "none") {
      const place = {
        transport: await parts.openTransport(after.transport),
        // A port of 0 stays the one that it has become.
        at: moves ? configuredAddress(after.bind_addr) : entrance.address,
        keep: !moves && transport !== "anew",
      };
      prepared.push(await entrance.move(place, makeWay));
    }
    for (const [name, change] of changed) {
      const service = present.get(name);
      if (service === undefined || !stays(name)) continue;
      prepared.push(await service.change(change, makeWay));
    }
    const services = Array.from(after.services, ([name, config]) => {
      const service = stays(name) ? present.get(name) : undefined;
      return service ?? new Service(name, config, context);
    });
    prepared.push(simply(await registry.arrange(services)));
  } catch (error) {
    discard();
    throw error;
  }

  function discard(): void {
    for (const change of prepared.toReversed()) change.discard();
    for (const one of leaving) one.restore();
  }
  return {
    changes: describeDifference(difference),
    commit: () => {
      for (const change of prepared) change.commit();
      for (const service of gone) service.remove();
    },
    discard,
  };
}
