/**
 * The soak: real programs under visitors, reloads, strangers and faults, all at once, looked at
 * when everything pauses.
 *
 * @module
 */

import { TRANSPORTS } from "../support/interop_transports.ts";
import { findPeer } from "../../scripts/peer.ts";
import { changeSettings, hurtSecond } from "./changes.ts";
import { Gate } from "./gate.ts";
import { intruder } from "./intruders.ts";
import { boundsFor, judge, type Judgement, type Sample, warmUpOf } from "./judge.ts";
import { Pair } from "./pair.ts";
import { usageOf } from "./sample.ts";
import { type Count, Tally } from "./tally.ts";
import { below, bulk, lastingStream, UdpVisitor, visitor } from "./visitors.ts";

/** The transports that are soaked. */
const SOAKED = ["tcp", "noise NK", "websocket, tls"];
/** Streams of each kind that last, of each pair. */
const LASTING = 2;
/** Visitors at once, of each pair. */
const AT_ONCE = 3;
/** Milliseconds after everything has paused until what was left is gone. */
const SETTLE_MS = 500;
/** The share of datagrams that may get lost. */
const LOSS = 0.02;

/** How to soak. */
export interface SoakOptions {
  readonly minutes: number;
  /** The folder of the sources that are soaked. */
  readonly tree: string;
  /** Ends it before its time; what there is will be judged. */
  readonly signal?: AbortSignal;
  /** Is told now and then how it goes. */
  readonly progress?: (line: string) => void;
}

/** What came of it. */
export interface SoakResult {
  readonly flat: boolean;
  readonly minutes: number;
  /** Seconds that were not judged. */
  readonly warmUp: number;
  readonly judgements: readonly Judgement[];
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  readonly counts: Readonly<Record<Count, number>>;
  readonly failed: number;
  readonly failures: readonly string[];
}

/** Soaks; resolves when all programs have ended. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { minutes, progress = () => {}, signal, tree } = options;
  const tally = new Tally();
  const samples: Record<string, Sample[]> = {};
  const end = performance.now() + minutes * 60_000;
  const over = () => performance.now() >= end || signal?.aborted === true;
  await using stack = new AsyncDisposableStack();
  const peer = await findPeer();
  const pairs = stack.use(new Pairs(tally));
  for (const [number, name] of SOAKED.entries()) {
    const transport = TRANSPORTS.find((it) => it.name === name);
    if (transport === undefined) throw new Error(`no transport ${name}`);
    const pair = await Pair.start({ transport, number, tree, peer, tally });
    pairs.add(pair);
    if (over()) break;
  }
  const lasting = stack.use(new Gate());
  const gate = stack.use(new Gate());
  for (const load of pairs.all) start(load, { gate, lasting, tally, stack });
  // A minute has to have enough of quiet moments, too.
  const cycle = minutes < 5 ? 3_000 : 8_000;
  while (!over()) {
    await untilQuiet(cycle, over);
    await gate.close();
    await gate.sleep(SETTLE_MS);
    for (const load of pairs.all) await look(load, samples, tally);
    progress(line(tally));
    if (pairs.all.some(({ pair }) => !alive(pair, tally))) break;
    gate.open();
  }
  await gate.end();
  await lasting.end();
  if (tally.counts["streams open"] !== 0) tally.fail("not all lasting streams ended well");
  if (tally.counts["datagrams lost"] > LOSS * tally.counts.datagrams + 5) {
    tally.fail("too many datagrams were lost");
  }
  const warmUp = warmUpOf(minutes);
  const bounds = boundsFor(minutes);
  const judgements = Object.entries(samples).map(([name, of]) =>
    judge(name, of, { bounds, warmUp })
  );
  const { counts, failed, failures } = tally;
  const flat = failed === 0 && judgements.every(({ complaints }) => complaints.length === 0);
  return { flat, minutes, warmUp, judgements, samples, counts, failed, failures };
}

/** A pair, and how many have visited it. */
interface Load {
  readonly pair: Pair;
  visitors: number;
}

/** All of them; in the end their programs are ended, and those that had to be are mentioned. */
class Pairs implements AsyncDisposable {
  readonly all: Load[] = [];
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  add(pair: Pair): void {
    this.all.push({ pair, visitors: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled(this.all.map(({ pair }) => pair[Symbol.asyncDispose]()));
    for (const end of ends) {
      if (end.status === "rejected") this.#tally.fail("a pair did not end", end.reason);
    }
  }
}

interface Around {
  readonly gate: Gate;
  /** For streams that do not pause. */
  readonly lasting: Gate;
  readonly tally: Tally;
  readonly stack: AsyncDisposableStack;
}

/** Lets everything happen to a pair. */
function start(load: Load, { gate, lasting, stack, tally }: Around): void {
  const { pair } = load;
  for (const name of ["steady", "rotated"] as const) {
    for (let i = 0; i < LASTING; i++) {
      const what = `${pair.name}: a lasting stream of ${name}`;
      let begun = false;
      lasting.repeat(async () => {
        // One that fails has failed for all of the run.
        if (begun) return;
        begun = true;
        await lastingStream(what, pair.door(name), { gate: lasting, tally });
      }, () => 1_000);
    }
  }
  for (let i = 0; i < AT_ONCE; i++) {
    gate.repeat(() => {
      load.visitors++;
      return visitor(pair.door("steady"), tally);
    }, () => below(60));
  }
  gate.repeat(() => bulk(pair.door("steady"), tally), () => 10_000 + below(10_000));
  gate.repeat(() => intruder(pair.at, tally), () => below(300));
  const udp = stack.use(new UdpVisitor(pair.door("datagrams"), tally));
  gate.repeat(() => udp.ask(), () => 20 + below(60));
  let changes = below(12);
  gate.repeat(() => changeSettings(pair, changes++, tally), () => 500 + below(1000));
  let faults = below(6);
  gate.repeat(() => hurtSecond(pair, faults++, tally), () => 3_000 + below(3_000));
}

async function untilQuiet(ms: number, over: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until && !over()) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function look(
  { pair, visitors }: Load,
  samples: Record<string, Sample[]>,
  tally: Tally,
): Promise<void> {
  for (const [name, { inspector, program }] of pair.judged) {
    await tally.must(`a look at ${name}`, async () => {
      const heap = await inspector.liveObjects();
      const usage = await usageOf(program.pid);
      (samples[name] ??= []).push({ seconds: tally.seconds, visitors, heap, ...usage });
    });
  }
}

function alive(pair: Pair, tally: Tally): boolean {
  for (const { program } of pair.judged.values()) {
    if (!program.over) continue;
    tally.fail(`${program.name} has ended by itself: ${program.tail}`);
    return false;
  }
  return true;
}

function line({ counts, failed, seconds }: Tally): string {
  const reloads = counts["reloads applied"] + counts["reloads refused"];
  return `${seconds.toFixed(0)} s: ${counts.visitors} visitors, ${reloads} reloads, ` +
    `${counts["streams open"]} lasting streams, ${failed} failures`;
}
