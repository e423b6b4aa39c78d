/**
 * Changed configuration files, right and broken, and a client that fails.
 *
 * @module
 */

import { deepEqual } from "node:assert/strict";
import type { Address } from "../../mod.ts";
import { askDatagram, udpSocket } from "../support/datagrams.ts";
import { ask, bytesOf, closeQuietly, visit } from "../support/local_services.ts";
import { eventually, pause } from "../support/patience.ts";
import type { Pair } from "./pair.ts";
import type { Tally } from "./tally.ts";
import { below, EchoStream } from "./visitors.ts";

/** Milliseconds that a change may take until visitors are served accordingly. */
const EFFECT_MS = 20_000;
const UPDATED = /Configuration updated/;
const REFUSED = /Configuration refused/;
/** Breaks a configuration, each in another way. */
const BREAKAGES: readonly ((text: string) => string)[] = [
  (text) => text.slice(0, text.lastIndexOf("=") + 1),
  (text) => text.replace('type = "tcp"', 'type = "tpc"'),
  (text) => text.replace(/_addr = "[^"]*"/, '_addr = "nowhere"'),
  (text) => `${text}\n[server]\n[server]\n`,
];

/** Three reloads, or five: of what is there, or of services that come and go; one is broken. */
export async function changeSettings(pair: Pair, turn: number, tally: Tally): Promise<void> {
  await tally.must(`${pair.name}: a reload`, async () => {
    try {
      if (turn % 2 === 0) await changeRotated(pair, turn, tally);
      else await comeAndGo(pair, turn, tally);
    } catch (cause) {
      const said = (["server", "client"] as const).map((side) => pair.program(side).tail);
      throw new Error(`${cause}; server and client say\n${said.join("\n--\n")}`, { cause });
    }
  });
}

async function changeRotated(pair: Pair, turn: number, tally: Tally): Promise<void> {
  pair.settings.token++;
  await apply(pair, ["server", "client"], tally);
  await served(pair.door("rotated"), "a service with a new token");
  pair.settings.local++;
  await apply(pair, ["client"], tally);
  await breakOne(pair, turn, tally);
  await served(pair.door("rotated"), "a service with a new local address");
}

async function comeAndGo(pair: Pair, turn: number, tally: Tally): Promise<void> {
  pair.settings.passing = true;
  await apply(pair, ["server", "client"], tally);
  await served(pair.door("passing"), "a new service");
  await servedByUdp(pair.door("passing-udp"));
  using stream = new EchoStream(await visit(pair.door("passing")));
  await stream.exchange(1000);
  await breakOne(pair, turn, tally);
  pair.settings.passing = false;
  await apply(pair, turn % 4 === 1 ? ["server", "client"] : ["client", "server"], tally);
  await stream.exchange(1000);
  await stream.end();
}

/** Writes the files and waits until the programs say that they follow them. */
async function apply(
  pair: Pair,
  sides: readonly ("server" | "client")[],
  tally: Tally,
): Promise<void> {
  await Promise.all(sides.map(async (side) => {
    const said = pair.program(side).says(UPDATED);
    await Promise.all([said, pair.write(side)]);
    tally.add("reloads applied");
  }));
  await pause(200 + below(600));
}

/** A file that is no configuration, and then the one from before. */
async function breakOne(pair: Pair, turn: number, tally: Tally): Promise<void> {
  const side = turn % 4 < 2 ? "server" : "client";
  const breakage = BREAKAGES[below(BREAKAGES.length)] ?? ((text) => `${text}=`);
  const program = pair.program(side);
  await Promise.all([program.says(REFUSED), pair.write(side, breakage(pair.text(side)))]);
  tally.add("reloads refused");
  await Promise.all([program.says(/Configuration can be used again/), pair.write(side)]);
}

/** Kills, stops or restarts the second client, and waits until its service is there again. */
export async function hurtSecond(pair: Pair, turn: number, tally: Tally): Promise<void> {
  const door = pair.door("other");
  await tally.must(`${pair.name}: the second client`, async () => {
    const visitors = await Promise.all([visit(door), visit(door), visit(door)]);
    const close = () => visitors.splice(0).forEach(closeQuietly);
    try {
      if (turn % 3 === 0) {
        pair.second.signal("SIGSTOP");
        await pause(500 + below(1500));
        pair.second.signal("SIGCONT");
        tally.add("clients stopped");
      } else {
        const kill = turn % 3 === 1;
        if (!kill) close();
        pair.second.signal(kill ? "SIGKILL" : "SIGTERM");
        await pair.second.ended;
        tally.add(kill ? "clients killed" : "clients restarted");
        await pair.startSecond();
      }
      await served(door, "the second client's service");
    } finally {
      close();
    }
  });
}

/** Visits until it works. */
async function served(door: Address, what: string): Promise<void> {
  const question = bytesOf("are you there?");
  const look = () => ask(door, question, 2_000).catch((error: unknown) => `${error}`);
  const answer = await eventually(what, look, (seen) => typeof seen !== "string", EFFECT_MS);
  deepEqual(answer, question);
}

async function servedByUdp(door: Address): Promise<void> {
  await using socket = await udpSocket();
  const question = bytesOf("are you there?");
  deepEqual(await askDatagram(socket, question, door), question);
}
