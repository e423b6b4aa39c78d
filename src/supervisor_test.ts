import { deepEqual, equal, rejects } from "node:assert/strict";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { turn } from "../tests/support/turns.ts";
import { RatholeError } from "./runtime/errors.ts";
import {
  type Instance,
  type Revision,
  type Revisions,
  supervise,
  type SupervisorReport,
} from "./supervisor.ts";

/** A configuration small enough to see through. */
interface Tiny {
  readonly n: number;
  readonly services: ReadonlyMap<string, object>;
}

const tiny = (n: number): Tiny => ({ n, services: new Map() });

class Mailbox implements Revisions<Tiny> {
  asked = 0;
  #arrived = Promise.withResolvers<Revision<Tiny> | undefined>();

  next(): Promise<Revision<Tiny> | undefined> {
    this.asked++;
    this.#arrived = Promise.withResolvers();
    return this.#arrived.promise;
  }

  async put(revision: number | Error | undefined, asked = false): Promise<void> {
    await turn();
    if (revision === undefined) this.#arrived.resolve(undefined);
    else if (typeof revision === "number") this.#arrived.resolve({ asked, config: tiny(revision) });
    else this.#arrived.resolve({ asked, error: revision });
    await turn();
  }
}

class Fake implements Instance<Tiny> {
  readonly log: string[];
  readonly ended = Promise.withResolvers<void>();
  readonly closed = this.ended.promise;
  failure: Error | undefined;
  gate: Promise<void> | undefined;

  constructor(log: string[]) {
    this.log = log;
  }

  async update({ n }: Tiny): Promise<void> {
    this.log.push(`update ${n}`);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
  }

  drain(): Promise<void> {
    this.log.push("drain");
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.log.push("dispose");
    this.ended.resolve();
    return Promise.resolve();
  }
}

async function begin() {
  const log: string[] = [];
  const clock = new FakeClock();
  const revisions = new Mailbox();
  const instance = new Fake(log);
  const report: SupervisorReport<Tiny> = {
    applied: ({ n }) => log.push(`applied ${n}`),
    unchanged: ({ asked, again }) => log.push(`unchanged asked=${asked} again=${again}`),
    refused: (error, { known, retryIn }) =>
      log.push(`refused ${(error as Error).message} known=${known} retry=${retryIn !== undefined}`),
  };
  const start = ({ n }: Tiny) => {
    log.push(`start ${n}`);
    return Promise.resolve(instance);
  };
  const { signal } = new AbortController();
  const running = await supervise(tiny(1), { start, revisions, report, clock, signal });
  return { log, clock, revisions, instance, running };
}

Deno.test("supervise - starts once and updates from then on", async () => {
  const { log, clock, revisions, running } = await begin();
  await revisions.put(2);
  await revisions.put(2);
  await revisions.put(2, true);
  await revisions.put(3);
  deepEqual(log, [
    "start 1",
    "update 2",
    "applied 2",
    "unchanged asked=false again=false",
    "unchanged asked=true again=false",
    "update 3",
    "applied 3",
  ]);
  await running[Symbol.asyncDispose]();
  equal(clock.pending, 0);
});

Deno.test("supervise - what cannot be read changes nothing; what was in use is so again", async () => {
  const { log, revisions, running } = await begin();
  await revisions.put(new RatholeError("config", "nonsense"));
  await revisions.put(1);
  await revisions.put(1);
  deepEqual(log.slice(1), [
    "refused nonsense known=false retry=false",
    "unchanged asked=false again=true",
    "unchanged asked=false again=false",
  ]);
  await running[Symbol.asyncDispose]();
});

Deno.test("supervise - what the machine refuses is tried again until it succeeds", async () => {
  const { log, clock, revisions, instance, running } = await begin();
  instance.failure = new RatholeError("bind", "in use");
  await revisions.put(2);
  await clock.advance(700);
  instance.failure = new RatholeError("bind", "in use by another");
  await clock.advance(2000);
  instance.failure = undefined;
  await clock.advance(6000);
  await clock.advance(600_000);
  deepEqual(log.slice(1), [
    "update 2",
    "refused in use known=false retry=true",
    "update 2",
    "refused in use known=true retry=true",
    "update 2",
    "refused in use by another known=false retry=true",
    "update 2",
    "applied 2",
  ]);
  equal(clock.pending, 0);
  await running[Symbol.asyncDispose]();
});

Deno.test("supervise - retries are at most a minute apart and leave nothing behind", async () => {
  const { log, clock, revisions, instance, running } = await begin();
  instance.failure = new RatholeError("bind", "in use");
  await revisions.put(2);
  await clock.advance(600_000);
  const before = log.length;
  await clock.advance(60_000);
  equal(log.length > before, true);
  equal(clock.pending, 1);
  await running[Symbol.asyncDispose]();
  equal(clock.pending, 0);
});

Deno.test("supervise - a later configuration takes the place of one that waits", async () => {
  for (const later of [3, new RatholeError("config", "nonsense"), 1]) {
    const { log, clock, revisions, instance, running } = await begin();
    instance.failure = new RatholeError("bind", "in use");
    await revisions.put(2);
    instance.failure = undefined;
    await revisions.put(later);
    await clock.advance(600_000);
    equal(log.filter((line) => line === "update 2").length, 1);
    equal(log.includes("applied 2"), false);
    await running[Symbol.asyncDispose]();
  }
});

Deno.test("supervise - a permission that is missing stays missing", async () => {
  const { log, clock, revisions, instance, running } = await begin();
  instance.failure = new RatholeError("permission", "not allowed");
  await revisions.put(2);
  equal(log.at(-1), "refused not allowed known=false retry=false");
  equal(clock.pending, 0);
  await running[Symbol.asyncDispose]();
});

Deno.test("supervise - asks for the next one when the last is done with, not before", async () => {
  const { revisions, instance, running } = await begin();
  const { promise, resolve } = Promise.withResolvers<void>();
  instance.gate = promise;
  await revisions.put(2);
  equal(revisions.asked, 1);
  resolve();
  await turn();
  equal(revisions.asked, 2);
  await running[Symbol.asyncDispose]();
});

Deno.test("supervise - nothing is applied while it drains, nor told of what that interrupts", async () => {
  const { log, revisions, instance, running } = await begin();
  const gate = Promise.withResolvers<void>();
  instance.gate = gate.promise;
  await revisions.put(2);
  const draining = running.drain();
  gate.reject(new RatholeError("aborted", "the server is draining"));
  await revisions.put(3);
  deepEqual(log.slice(1), ["update 2", "drain"]);
  instance.ended.resolve();
  await draining;
  await running.closed;
  await running[Symbol.asyncDispose]();
});

Deno.test("supervise - goes on when there are no more revisions, and ends as what runs ends", async () => {
  const { log, revisions, instance, running } = await begin();
  await revisions.put(undefined);
  deepEqual(log, ["start 1"]);
  instance.ended.reject(new RatholeError("exhausted", "all gave up"));
  await rejects(running.closed, { code: "exhausted" });
  await running[Symbol.asyncDispose]();
});
