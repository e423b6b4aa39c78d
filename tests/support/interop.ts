/**
 * Ours and rathole 0.5.0 with each other, over every transport: what has to work, and what 0.5.0
 * cannot do.
 *
 * @module
 */

import { doesNotMatch } from "node:assert/strict";
import { type Scenario, SCENARIOS, setStage } from "./interop_scenarios.ts";
import type { InteropTransport } from "./interop_transports.ts";
import { ignore, type Maker, missing, type Pairing, PAIRINGS, startPair } from "./peer.ts";

/** A column of the table. */
export interface Column extends Pairing {
  /** Its name: the server's maker, then the client's. */
  readonly name: string;
}

/** All columns. */
export const COLUMNS: readonly Column[] = [...PAIRINGS, { server: "ours", client: "ours" } as const]
  .map((pairing) => ({
    ...pairing,
    name: `${called(pairing.server)} – ${called(pairing.client)}`,
  }));

/** Something that 0.5.0 cannot do, and so no tunnel with it at either end. */
interface Limit {
  readonly scenarios: readonly string[];
  readonly types: readonly InteropTransport["type"][];
  /** The end at which 0.5.0 stands, where it has to be at a certain one. */
  readonly at?: keyof Pairing;
  /** The reason, for the table's reader. */
  readonly note: string;
  /** What is seen instead. */
  readonly seen: RegExp;
}

const LIMITS: readonly Limit[] = [
  {
    scenarios: ["half-close by the visitor"],
    types: ["websocket"],
    at: "client",
    note: "0.5.0 takes the end of one direction of a WebSocket for the end of both",
    seen: /bytes of the reply/,
  },
  {
    scenarios: ["half-close by the service"],
    types: ["websocket"],
    at: "server",
    note: "0.5.0 takes the end of one direction of a WebSocket for the end of both",
    seen: /the question did not arrive whole/,
  },
  {
    scenarios: ["UDP of 65,507 bytes"],
    types: ["tcp", "tls", "noise", "websocket"],
    note: "0.5.0 cuts off what is beyond 2,048 bytes of a datagram",
    seen: /2048 of 65507 bytes of a datagram/,
  },
];

/** What came of a scenario. */
export type Outcome =
  /** It works. */
  | { readonly result: "yes" }
  /** It does not, as is known of 0.5.0. */
  | { readonly result: "limit"; readonly note: string }
  /** It does not work, or is known not to and does: the error says which. */
  | { readonly result: "failed"; readonly error: unknown };

/** The outcomes of a cell, by scenario. */
export type Cell = ReadonlyMap<string, Outcome>;

/** Plays all scenarios with one pair of programs; `step` plays one and may report on it. */
export async function playAll(
  transport: InteropTransport,
  column: Column,
  step: (name: string, play: () => Promise<Outcome>) => Promise<void>,
): Promise<void> {
  await using settings = await transport.settings();
  await using stage = await setStage();
  await using pair = await startPair(column, stage.services, settings.options);
  for (const scenario of SCENARIOS) {
    const play = () => pair.check((door) => scenario.play(pair, stage, door));
    await step(scenario.name, () => judge(scenario, play, limitOf(transport, column, scenario)));
  }
  await step("nothing odd in the logs", () => {
    for (const end of ["server", "client"] as const) {
      if (column[end] === "ours") doesNotMatch(pair[end].text, /Uncaught|Fault in this program/);
    }
    return Promise.resolve({ result: "yes" });
  });
}

/** One test for each cell of some rows, with a step for each scenario. */
export function testRows(rows: readonly InteropTransport[]): void {
  for (const transport of rows) {
    for (const column of COLUMNS) {
      const withPeer = column.server === "rust" || column.client === "rust";
      Deno.test(`${transport.name}: ${column.name}${withPeer ? missing : ""}`, {
        ignore: withPeer && ignore,
        timeout: 120_000,
      }, async (t) => {
        await playAll(transport, column, async (name, play) => {
          await t.step(name, async () => {
            const outcome = await play();
            if (outcome.result === "failed") throw outcome.error;
          });
        });
      });
    }
  }
}

async function judge(
  { name }: Scenario,
  play: () => Promise<void>,
  limit: Limit | undefined,
): Promise<Outcome> {
  try {
    await play();
  } catch (error) {
    // Only the scenario's own words count, not the logs that follow them.
    const [said = ""] = `${error}`.split("\n--- server");
    if (limit?.seen.test(said)) return { result: "limit", note: limit.note };
    return { result: "failed", error };
  }
  if (limit === undefined) return { result: "yes" };
  return { result: "failed", error: new Error(`${name} works; it is thought not to`) };
}

function limitOf(
  { type }: InteropTransport,
  column: Column,
  { name }: Scenario,
): Limit | undefined {
  return LIMITS.find(({ at, scenarios, types }) => {
    const ends = at === undefined ? [column.server, column.client] : [column[at]];
    return ends.includes("rust") && scenarios.includes(name) && types.includes(type);
  });
}

function called(maker: Maker): string {
  return maker === "ours" ? "this program" : "0.5.0";
}
